// The task of a version: its parameters, the file that each came from, and the graph's own tensors.
import { html } from "../../lib.js";
import { Table } from "../../ui.js";
import { Signature } from "./signature.js";

const SHOWN = 40; // values of a list before the rest is folded

export function Task({ task }) {
  const columns = [
    ["Parameter", (name) => html`<code>${name}</code>`],
    ["Value", (name) => html`<${Value} value=${task.parameters[name]} />`],
    ["Origin", (name) => task.origins[name] ?? "–"],
  ];
  return html`<p><b>${task.name}</b>${task.origins.task ? html`, found in ${task.origins.task}` : ""}</p>
    <${Table} caption="Parameters of the task" columns=${columns} rows=${Object.keys(task.parameters)} keyOf=${(name) => name} empty="It has no parameters." />
    <details><summary>The graph's own tensors</summary><${Signature} inputs=${task.raw_inputs} outputs=${task.raw_outputs} /></details>`;
}

function Value({ value }) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const size = value && typeof value === "object" ? Object.keys(value).length : 0;
  if (size <= SHOWN && text.length < 400) return html`<span class="mono">${text}</span>`;
  return html`<details><summary>${size ? `${size} values` : `${text.length} characters`}</summary><span class="mono">${text}</span></details>`;
}
