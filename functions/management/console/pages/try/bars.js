// Numbers by name, as bars: [[name, value]]. With `percent` they are shares; else they are drawn by their size against the largest.
import { html } from "../../lib.js";
import { Bar } from "../../charts.js";
import { percent as shareText } from "../../format.js";

export function Bars({ rows, label, percent = false }) {
  const largest = Math.max(...rows.map(([, value]) => Math.abs(value)), 0);
  return html`<table class="bars"><caption class="hidden">${label}</caption><tbody>${rows.map(([name, value], place) => html`<tr key=${place}>
    <th scope="row">${name}</th><td class="wide">
      <${Bar} share=${percent ? value : Math.abs(value) / (largest || 1)} tone=${value < 0 ? "bad" : ""}
      label=${`${name}: ${Number(value.toPrecision(3))}`} /></td>
    <td class="number">${percent ? shareText(value) : String(Number(value.toPrecision(6)))}</td></tr>`)}</tbody></table>`;
}
