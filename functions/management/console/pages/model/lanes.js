// Where each alias led over a time, from the history.
import { html } from "../../lib.js";
import { colorOf } from "../../charts.js";
import { entriesUntil, revisionOf } from "../../entries.js";
import { clock } from "../../format.js";
import { routesOf, routesText } from "./words.js";

// Entries since a time, newest first: {entries, since, isCut}; `since` is later than asked if there were too many.
export async function entriesSince(model, start, signal) {
  const { entries, isCut } = await entriesUntil((entry) => Date.parse(entry.at) < start, model, { signal });
  const since = isCut ? Date.parse(entries.at(-1).at) : start;
  return { entries: entries.filter((entry) => Date.parse(entry.at) >= since), since, isCut };
}

// {alias: [{from, to, routes}]} in ms, the oldest first: from what is now, back through the entries.
export function lanesOf(model, { entries, since }, end) {
  const now = Object.entries(model.aliases).map(([name, version]) => [name, model.splits[name] ?? [{ version, weight: 100 }]]);
  const state = new Map(now);
  const until = new Map();
  const lanes = {};
  let dead = Boolean(model.deleted_at);
  const close = (name, from) => {
    const routes = dead ? [] : state.get(name) ?? [];
    if (from < (until.get(name) ?? end)) (lanes[name] ??= []).unshift({ from, to: until.get(name) ?? end, routes });
    until.set(name, from);
  };
  const revision = revisionOf(model.etag);
  for (const entry of entries.filter((one) => one.revision <= revision)) {
    const at = Date.parse(entry.at);
    if (entry.kind === "model.deleted" || entry.kind === "model.restored") {
      for (const name of state.keys()) close(name, at);
      dead = entry.kind === "model.restored";
    } else if (entry.kind === "model.created") {
      for (const name of state.keys()) close(name, at);
      state.clear();
    } else {
      for (const [name, routes] of routesBefore(entry)) {
        close(name, at);
        state.set(name, routes);
      }
    }
  }
  for (const name of state.keys()) close(name, since);
  return lanes;
}

// [alias, its routes before the entry] of those that it moved.
export function routesBefore(entry) {
  if (entry.alias) return [[entry.alias, routesOf(entry.before)]];
  if (entry.kind !== "version.deleted") return [];
  const removed = (entry.before?.aliases ?? []).map((name) => [name, [{ version: entry.version, weight: 100 }]]);
  return [...Object.entries(entry.before?.routes ?? {}), ...removed];
}

// A lane for each alias: a part for each time between two moves, in it the routes as high as their shares.
export function Lanes({ lanes, start, end }) {
  const seen = (parts) => parts.filter((part) => part.to > start && part.from < end).map((part) => (
    { ...part, from: Math.max(part.from, start), to: Math.min(part.to, end) }));
  const shown = Object.entries(lanes).map(([name, parts]) => [name, seen(parts)]).filter(([, parts]) => parts.length);
  return shown.sort().map(([name, parts]) => html`<div key=${name}>
    <div class="hint">${name}</div>
    <div class="lane" role="img" aria-label=${`${name}: ${parts.map(partText).join("; ")}`}>
      <span style=${{ flexGrow: parts[0].from - start }}></span>
      ${parts.map((part) => html`<span key=${part.from} title=${partText(part)} style=${{ flexGrow: part.to - part.from }}>
        ${part.routes.map(({ version, weight }) => html`<span key=${version} class=${colorOf(version)} style=${{ flexGrow: weight }}>
          ${wide(part, start, end) && weight >= 50 && `v${version}`}</span>`)}</span>`)}
      <span style=${{ flexGrow: end - parts.at(-1).to }}></span></div></div>`);
}

const wide = (part, start, end) => (part.to - part.from) / (end - start) > 0.06;
const partText = (part) => `${routesText(part.routes)} from ${clock(part.from)} to ${clock(part.to)}`;
