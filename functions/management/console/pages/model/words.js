// What a history entry says, in words.
import { html } from "../../lib.js";
import { SplitBar } from "../../charts.js";
import { Digest, Time } from "../../ui.js";

const SHOWN_ELSEWHERE = ["figures", "status", "weight"]; // of a rollout: by its kind and routes, or on its page
export const KINDS = {
  "alias.set": "Alias changed",
  "alias.rolled_back": "Alias rolled back",
  "alias.deleted": "Alias deleted",
  "version.created": "Version created",
  "version.validating": "Version uploaded",
  "version.ready": "Version ready",
  "version.failed": "Version failed",
  "version.updated": "Version edited",
  "version.deleted": "Version deleted",
  "version.restored": "Version restored",
  "version.purging": "Version being purged",
  "version.purged": "Version purged",
  "rollout.started": "Rollout started",
  "rollout.promoted": "Rollout: next step",
  "rollout.paused": "Rollout paused",
  "rollout.resumed": "Rollout resumed",
  "rollout.succeeded": "Rollout succeeded",
  "rollout.rolled_back": "Rollout rolled back",
  "rollout.aborted": "Rollout aborted",
  "model.created": "Model created",
  "model.updated": "Model edited",
  "model.deleted": "Model deleted",
  "model.restored": "Model restored",
  "model.purging": "Model being purged",
  "model.purged": "Model purged",
};

const routeText = ({ version, weight }) => (weight === 100 ? `v${version}` : `v${version} ${weight} %`);
export const routesText = (routes) => routes.map(routeText).join(", ") || "nothing";

// The routes of an alias as a history entry has it: `routes` only if there are several.
export const routesOf = (shown) => (shown?.version ? shown.routes ?? [{ version: shown.version, weight: 100 }] : []);

const STICKY = { none: "each request at random", caller: "a caller keeps its version" };

export const stickyText = (sticky) => STICKY[sticky] ?? `a value of ${sticky.slice("header:".length)} keeps its version`;

export const subject = (entry) => entry.alias ?? (entry.version ? `v${entry.version}` : "");

// One value of `before` or `after`: bars for routes, else text.
function Value({ name, value }) {
  if (value == null) return html`<span class="hint">none</span>`;
  if (name === "routes" && !Array.isArray(value)) {
    return Object.entries(value).map(([alias, routes]) => html`<div key=${alias}>${alias} <${SplitBar} routes=${routes} label=${alias} /></div>`);
  }
  if (name === "sha256") return html`<${Digest} of=${value} />`;
  if (typeof value !== "object") return html`<span>${String(value)}</span>`;
  if (Array.isArray(value)) return html`<span>${value.join(", ")}</span>`;
  const pairs = Object.entries(value).map(([key, one]) => `${key}=${typeof one === "object" ? JSON.stringify(one) : one}`);
  return html`<span>${pairs.join(", ") || "none"}</span>`;
}

// Only what differs between before and after; the routes of an alias as bars.
export function Difference({ entry }) {
  const before = entry.before ?? {};
  const after = entry.after ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const hidden = entry.kind.startsWith("rollout.") ? SHOWN_ELSEWHERE : [];
  const differing = names.filter((name) => !hidden.includes(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const moves = entry.alias && differing.some((name) => name === "version" || name === "routes");
  const others = differing.filter((name) => !(entry.alias && (name === "version" || name === "routes")));
  return html`${moves && html`<${Moved} from=${routesOf(entry.before)} to=${routesOf(entry.after)} />`}
    ${others.map((name) => html`<div key=${name}><span class="hint">${name}:</span>
      ${" "}${name in before && html`<${Value} name=${name} value=${before[name]} /> → `}
      <${Value} name=${name} value=${after[name]} /></div>`)}`;
}

// From … to …, with bars; an alias that is new or gone leads nowhere on that side.
export function Moved({ from, to }) {
  const side = (routes) => html`<div>${routes.length > 0 && html`<${SplitBar} routes=${routes} />`}<span class="hint">${routesText(routes)}</span></div>`;
  return html`<div class="moved">${side(from)} <span>→</span> ${side(to)}</div>`;
}

export function Meanwhile({ entries }) {
  return html`<div class="notice" role="status"><p>Changed meanwhile:</p>
    <ul>${entries.map((entry) => html`<li key=${entry.revision}>${KINDS[entry.kind] ?? entry.kind} ${subject(entry)} <${Time} at=${entry.at} />
      ${" by "}${entry.actor}<${Difference} entry=${entry} /></li>`)}</ul></div>`;
}
