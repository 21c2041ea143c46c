// A table of facts of two versions: [{name, one, other, said}]; `said` tells the difference, "" if there is none.
import { html } from "../../lib.js";
import { Table } from "../../ui.js";

export function Facts({ title, a, b, rows, empty }) {
  const differing = rows.filter((row) => row.said).length;
  const columns = [
    ["Of", (row) => row.name, "wide"],
    [`Version ${a}`, (row) => row.one],
    [`Version ${b}`, (row) => row.other],
    ["Difference", (row) => (row.said ? html`<b>${row.said}</b>` : html`<span class="hint">same</span>`)],
  ];
  return html`<h2>${title}</h2>
    ${rows.length > 0 && html`<p class="hint">${differing ? `${differing} of ${rows.length} differ.` : "No difference."}</p>`}
    <${Table} caption=${title} columns=${columns} rows=${rows} keyOf=${(row) => row.name} empty=${empty ?? "There is nothing to compare."} />`;
}

// A row of two values that are the same or not.
export function equal(name, one, other, shown = (value) => value) {
  const told = (value) => (value === undefined || value === null || value === "" ? "–" : shown(value));
  return { name, one: told(one), other: told(other), said: JSON.stringify(one ?? null) === JSON.stringify(other ?? null) ? "" : "differs" };
}

// A row of two numbers: how much more or less the second is. `least`: a smaller change, as a share, is called the same.
export function amount(name, one, other, shown, least = 0) {
  return { name, one: one == null ? "–" : shown(one), other: other == null ? "–" : shown(other), said: change(one, other, least) };
}

function change(one, other, least) {
  if (one == null && other == null) return "";
  if (one == null || other == null) return "known of one only";
  if (one === other || Math.abs(other - one) <= least * Math.abs(one)) return "";
  if (one === 0) return "more";
  const share = Math.abs(other / one - 1) * 100;
  if (other > one * 2) return `${Number((other / one).toPrecision(3))} times as much`;
  return `${share < 10 ? share.toPrecision(2) : Math.round(share)} % ${other > one ? "more" : "less"}`;
}
