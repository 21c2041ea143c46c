// One rollout: where it stands, what the guard sees and decided, and what happened so far.
import { html, useState } from "../../lib.js";
import { SplitBar } from "../../charts.js";
import { entriesUntil } from "../../entries.js";
import { percent, sentence } from "../../format.js";
import { useResource } from "../../resource.js";
import { modelPath, to } from "../../router.js";
import { can } from "../../session.js";
import { Empty, Loaded, Status, Table, Time } from "../../ui.js";
import { Change } from "./changes.js";
import { Figures } from "./figures.js";
import { isOpen, Steps, Waiting } from "./steps.js";

const MOST = 1000; // entries of the model's history that are looked through

export function Rollout({ rollout, onChange }) {
  const [way, setWay] = useState("");
  const { id, model, alias, version, stable, status, decision } = rollout;
  const link = (number) => html`<a href=${to(modelPath(model, `/versions/${number}`))}>version ${number}</a>`;
  const button = (name, text, kind) => html`<button type="button" class=${kind} onClick=${() => setWay(name)}>${text}</button>`;
  const when = isOpen(rollout) ? "now" : "then";
  return html`<section aria-label=${`Rollout ${id}`}>
    <div class="head"><h2>${alias}: ${link(stable)} → ${link(version)}</h2>${isOpen(rollout) && can("models:write") && html`<div class="actions">
      ${status === "RUNNING" ? button("pause", "Pause") : button("resume", "Resume")}${button("abort", "Abort", "danger")}</div>`}</div>
    <p><${Status} value=${status} /> Rollout ${id}, begun <${Time} at=${rollout.created_at} /> by <span class="mono">${rollout.actor}</span>
      ${!isOpen(rollout) && html`, ended <${Time} at=${rollout.updated_at} />`}</p>
    <${SplitBar} label=${`${alias} ${when}`} routes=${routesOf(rollout)} />
    <${Steps} rollout=${rollout} />
    ${isOpen(rollout) && html`<${Waiting} rollout=${rollout} />`}
    <p class="hint">${planOf(rollout)}</p>
    ${decision ? html`<${Decision} decision=${decision} isLast=${status !== "RUNNING"} /><${Figures} rollout=${rollout} />`
      : html`<${Empty}>${isOpen(rollout) ? "The guard has not looked yet: it does so each minute." : "It ended before the guard looked."}<//>`}
    <${Moves} rollout=${rollout} />
    ${way && html`<${Change} rollout=${rollout} way=${way} onDone=${onChange} onClose=${() => setWay("")} />`}</section>`;
}

function routesOf(rollout) {
  const { version, stable, weight, status } = rollout;
  if (isOpen(rollout)) return [{ version, weight }, { version: stable, weight: 100 - weight }];
  return [{ version: status === "SUCCEEDED" ? version : stable, weight: 100 }];
}

function planOf({ guards, minutes_per_step: minutes, on_breach: breach, notify }) {
  const limits = [
    guards.error_rate != null && `errors up to ${percent(guards.error_rate)}`,
    guards.p95_ms != null && `95 % below ${guards.p95_ms} ms`,
    guards.shadow_mismatch != null && `differing answers up to ${percent(guards.shadow_mismatch)}`,
    "no worse than the stable version",
  ].filter(Boolean);
  const told = notify ? ` Tells ${notify}.` : "";
  return `${minutes} min a step at least. Guards: ${limits.join(", ")}. On a breach: ${breach === "pause" ? "pause" : "roll back"}.${told}`;
}

function Decision({ decision, isLast }) {
  const kind = decision.verdict === "breach" ? "problem" : "notice";
  const said = { promote: "goes on", hold: "waits", breach: "breach" }[decision.verdict] ?? decision.verdict;
  return html`<div class=${kind}><p><span aria-live="polite"><strong>${isLast ? "The guard's last look" : "The guard"}: ${said}.</strong>${" "}
    ${sentence(decision.reason)}</span> <span class="hint"><${Time} at=${decision.at} /></span></p></div>`;
}

// Read again when the rollout moves. Its id is the model's revision when it began: older entries are none of its own.
function Moves({ rollout }) {
  const moves = useResource((signal) => ofHistory(rollout, signal), [rollout.model, rollout.id, rollout.status, rollout.weight]);
  const columns = [
    ["When", (entry) => html`<${Time} at=${entry.at} />`],
    ["What", (entry) => entry.kind.replace("rollout.", "").replace("_", " ")],
    ["Share", (entry) => `${entry.after.weight} %`, "number"],
    ["Who", (entry) => html`<span class="mono">${entry.actor}</span>`, "wide"],
    ["Reason", (entry) => entry.after.reason ?? "", "wide"],
  ];
  return html`<h3>What happened</h3><${Loaded} from=${moves} rows=${2}>${(entries) => html`
    <${Table} caption="Moves of the rollout" columns=${columns} rows=${entries} keyOf=${(entry) => entry.revision}
      empty=${`It is older than the last ${MOST} changes of the model.`} />`}<//>`;
}

async function ofHistory({ model, id }, signal) {
  const { entries } = await entriesUntil((entry) => entry.revision <= id, model, { most: MOST, signal });
  return entries.filter((entry) => entry.after?.rollout === id && entry.kind.startsWith("rollout."));
}
