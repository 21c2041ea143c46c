// Starts a rollout: the plan with the API's own defaults.
import { html, useMemo, useState } from "../../lib.js";
import { call, onceOnly } from "../../api.js";
import { Confirm } from "../../dialogs.js";
import { Choice, Text } from "../../inputs.js";
import { tell } from "../../ui.js";

const PLAN = { steps: "5, 25, 50, 100", minutes: "10", errors: "", p95: "", mismatch: "", least: "100", breach: "rollback", notify: "" };

const LIST = "\\s*\\d+(\\s*[,\\s]\\s*\\d+)+\\s*";
const PERCENT = [0.001, 99.999];

// aliases: [{name, version}] that lead to one version, versions: numbers that are READY, newest first.
export function StartRollout({ model, aliases, versions, onDone, onClose }) {
  const alias = aliases.find(({ name }) => name === "production") ?? aliases[0];
  const [plan, setPlan] = useState({ ...PLAN, alias: alias.name, version: String(versions.find((one) => one !== alias.version) ?? "") });
  const [once] = useState(onceOnly);
  const text = (name) => ({ value: plan[name], set: (value) => setPlan({ ...plan, [name]: value }) });
  const number = (name, min, max, step = "any") => ({ ...text(name), type: "number", min, max, step });
  const stable = aliases.find(({ name }) => name === plan.alias).version;
  const steps = useMemo(() => plan.steps.split(/[\s,%]+/).filter(Boolean).map(Number), [plan.steps]);
  const start = async () => {
    await call("start_rollout", { model }, { once, body: bodyOf(plan, steps) });
    tell(`The rollout of ${plan.alias} has begun.`);
    onDone();
  };
  const offered = versions.map((one) => [one, `version ${one}${one === stable ? " (serves it now)" : ""}`, one === stable]);
  const breaches = [["rollback", `roll back to version ${stable}`], ["pause", "pause, with the shares as they are"]];
  const isSame = !plan.version || Number(plan.version) === stable;
  return html`<${Confirm} title="Start a rollout" action="Start" disabled=${isSame} onConfirm=${start} onClose=${onClose}>
    <${Choice} label="Alias" hint="One that leads to one version, and has no open rollout." ...${text("alias")}
      options=${aliases.map((one) => [one.name, `${one.name} (version ${one.version})`])} />
    <${Choice} label="New version" ...${text("version")} options=${offered} />
    <${Text} label="Steps, in percent" hint="2 to 10, each more than the one before, the last 100." ...${text("steps")} required pattern=${LIST} />
    <${Text} label="Minutes a step" hint="0.05 to 1440. A step lasts longer if too few requests come." ...${number("minutes", 0.05, 1440)} required />
    <${Text} label="Requests of the canary a step, at least" ...${number("least", 1, 1e9, 1)} required />
    <details><summary>Limits of the guard</summary><p class="hint">In any case the new version's errors and refusals are held against the stable one's.</p>
      <${Text} label="Errors (5xx), at most % of the requests" ...${number("errors", ...PERCENT)} />
      <${Text} label="Milliseconds that 95 % of the requests stay below" ...${number("p95", 0.25, 1_000_000)} />
      <${Text} label="Differing answers of the shadow, at most %" ...${number("mismatch", ...PERCENT)}
        hint="Only if the new version is the alias's shadow: set that first." /></details>
    <${Choice} label="On a breach" ...${text("breach")} options=${breaches} />
    <${Text} label="Notify" hint="An https URL or the ARN of an SNS topic that is told of each step. May be empty." ...${text("notify")} maxlength="2000" />
    <p class="notice">${plan.alias} is version ${stable} now. ${saidOf(plan.version, steps)} Until the rollout ends, only it moves the alias.</p><//>`;
}

function saidOf(version, [first, ...others]) {
  const then = others.length ? `, then ${others.join(" %, ")} %` : "";
  return `Version ${version} gets ${first} % of its requests at once${then}, as long as no guard is breached.`;
}

function bodyOf(plan, steps) {
  const number = (text, of = 1) => (text === "" ? undefined : Number((Number(text) / of).toPrecision(12)));
  return {
    alias: plan.alias,
    version: Number(plan.version),
    steps,
    minutes_per_step: number(plan.minutes),
    guards: { error_rate: number(plan.errors, 100), p95_ms: number(plan.p95), shadow_mismatch: number(plan.mismatch, 100), min_requests: number(plan.least) },
    on_breach: plan.breach,
    notify: plan.notify.trim() || undefined,
  };
}
