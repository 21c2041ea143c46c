// Pausing, resuming and aborting a rollout, each confirmed.
import { html, useState } from "../../lib.js";
import { call } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { Text } from "../../inputs.js";
import { tell } from "../../ui.js";

const WAYS = {
  pause: {
    operation: "pause_rollout", action: "Pause", done: "paused",
    says: ({ alias, version, weight }) => `Version ${version} keeps ${weight} % of the requests of ${alias}, and the guard looks at it no
      more: a version that fails is not taken back until somebody resumes or aborts.`,
  },
  resume: {
    operation: "resume_rollout", action: "Resume", done: "running again",
    says: ({ alias, version, weight, breached }) => `Version ${version} goes on with ${weight} % of the requests of ${alias}, and this step
      begins anew. ${breached ? "The guard forgets what it counted before the breach, and judges what comes from now on." : ""}`,
  },
  abort: {
    operation: "abort_rollout", action: "Abort", done: "aborted", danger: true,
    says: ({ alias, stable }) => `All requests of ${alias} go to version ${stable} again, within seconds. An aborted rollout cannot go on: start a new one.`,
  },
};

export function Change({ rollout, way, onDone, onClose }) {
  const [reason, setReason] = useState("");
  const { operation, action, done, danger, says } = WAYS[way];
  const move = async () => {
    const body = way === "resume" ? undefined : { reason: reason.trim() || undefined };
    await call(operation, { model: rollout.model, rollout: rollout.id }, { body });
    tell(`The rollout of ${rollout.alias} is ${done}.`);
    onDone();
  };
  return html`<${Confirm} title=${`${action} the rollout of ${rollout.alias}?`} action=${action} danger=${danger} onConfirm=${move} onClose=${onClose}>
    <p>${says(rollout)}</p>
    ${way !== "resume" && html`<${Text} label="Reason" hint="Stands in the history. May be empty." maxlength="500" value=${reason} set=${setReason} />`}<//>`;
}
