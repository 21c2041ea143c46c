// The tensors that a version takes and gives.
import { html } from "../../lib.js";
import { shape } from "../../format.js";
import { Table } from "../../ui.js";

export function Signature({ inputs, outputs, shapes = {} }) {
  const rows = [...inputs.map((tensor) => ({ ...tensor, side: "input" })), ...outputs.map((tensor) => ({ ...tensor, side: "output" }))];
  const columns = [
    ["Side", (row) => row.side],
    ["Name", (row) => html`<code>${row.name}</code>`, "wide"],
    ["Datatype", (row) => row.datatype],
    ["Shape", (row) => html`<span title="? may be of any size">${shape(row.shape)}</span>`],
  ];
  if (inputs.some((tensor) => shapes[tensor.name])) {
    columns.push(["Measured with", (row) => (row.side === "input" && shapes[row.name] ? shape(shapes[row.name]) : "–")]);
  }
  return html`<${Table} caption="Inputs and outputs" columns=${columns} rows=${rows} keyOf=${(row) => `${row.side}:${row.name}`} />`;
}
