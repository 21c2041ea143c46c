// The values of a tensor as a table: the first axis goes down, all others go across.
import { html } from "../../lib.js";

const ROWS = 100;
const COLUMNS = 50;

export function Grid({ output, labels }) {
  const { shape, values } = output;
  if (values.length === 1) return html`<p class="mono"><b>${String(values[0])}</b></p>`;
  const rows = shape.length ? shape[0] : 1;
  const width = rows ? values.length / rows : 0;
  const columns = Math.min(width, COLUMNS);
  const seen = Math.min(rows, ROWS);
  return html`<div class="scroll" role="region" aria-label=${`Values of ${output.name}`} tabindex="0"><table>
      ${columns > 1 && html`<thead><tr><th scope="col">Row</th>${Array.from({ length: columns }, (_, column) => html`<th scope="col" class="number" key=${column}>
        ${String(labels?.[column] ?? column)}</th>`)}</tr></thead>`}
      <tbody>${Array.from({ length: seen }, (_, row) => html`<tr key=${row}><th scope="row">${row}</th>
        ${values.slice(row * width, row * width + columns).map((value, column) => html`<td class="number" key=${column}>
        ${String(value)}</td>`)}</tr>`)}</tbody></table></div>
    ${(seen < rows || columns < width) && html`<p
      class="hint">The first ${seen} of ${rows} rows${columns < width ? `, ${columns} of ${width} columns` : ""}.</p>`}`;
}
