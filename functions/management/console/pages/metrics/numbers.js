// The numbers of the plots as a table, made when it is opened.
import { html, useState } from "../../lib.js";
import { clock, ms } from "../../format.js";
import { Table } from "../../ui.js";
import { figuresWith, nameOf, PERCENTILES } from "./series.js";

export function Numbers({ metrics }) {
  const [open, setOpen] = useState(false);
  return html`<h2>Numbers</h2><details open=${open} onToggle=${(event) => setOpen(event.target.open)}>
    <summary>The same as a table, by ${metrics.step}</summary>${open && html`<${Rows} metrics=${metrics} />`}</details>`;
}

// Steps without any counts are left out, as in the answer.
function Rows({ metrics }) {
  const rows = metrics.series.flatMap((one) => one.points.map((point) => ({ ...point, series: nameOf(one) })));
  rows.sort((one, other) => other.at.localeCompare(one.at) || one.series.localeCompare(other.series));
  const columns = [
    ["Time", (point) => html`<span class="id">${clock(point.at)}</span>`],
    [metrics.by === "version" ? "Version" : "Alias", (point) => point.series],
    ...figuresWith(metrics).map(({ title, of, format }) => [title, (point) => format(of(point)), "number"]),
    ...PERCENTILES.map((name) => [name.replace("_ms", ""), (point) => ms(point[name]), "number"]),
  ];
  return html`<${Table} caption="Numbers of the plots" columns=${columns} rows=${rows} keyOf=${(point) => `${point.at} ${point.series}`} />`;
}
