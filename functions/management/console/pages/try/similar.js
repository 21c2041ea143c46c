// Vectors of texts or images: how near each is to a chosen one, the nearest first.
import { html, useState } from "../../lib.js";
import { Bar } from "../../charts.js";
import { Choice } from "../../inputs.js";
import { Table } from "../../ui.js";
import { Json } from "./json.js";

export default function Similar({ result }) {
  const { values, shape } = result.answer.outputs.find((one) => one.name === "embedding");
  const [chosen, setChosen] = useState(0);
  const width = shape[1];
  const vectors = Array.from({ length: shape[0] }, (_, place) => values.slice(place * width, (place + 1) * width));
  const items = result.request.texts;
  const rows = vectors.map((vector, place) => ({ place, item: items[place], cosine: cosine(vector, vectors[chosen]) }))
    .sort((one, other) => other.cosine - one.cosine);
  const columns = [
    ["Cosine", (row) => row.cosine.toFixed(4), "number"],
    ["Drawn", (row) => html`<${Bar} share=${row.cosine} label=${`cosine ${row.cosine.toFixed(4)}`} />`, "wide"],
    [result.request.pictures ? "Image" : "Text", (row) => html`${result.request.pictures && html`<img
      class="thumb" src=${result.request.pictures[row.place]} alt="" />`} ${row.item}${row.place === chosen ? html` <span
      class="hint">(the chosen one)</span>` : ""}`],
  ];
  return html`<p>${shape[0]} ${shape[0] === 1 ? "vector" : "vectors"} of ${width} numbers.</p>
    <${Choice} label="Near to" value=${chosen} set=${(place) => setChosen(Number(place))}
      options=${items.map((item, place) => [place, `${place + 1}. ${item.slice(0, 80)}`])} />
    <${Table} caption="Similarity" columns=${columns} rows=${rows} keyOf=${(row) => row.place} />
    <${Json} result=${result} />`;
}

function cosine(one, other) {
  let [dot, left, right] = [0, 0, 0];
  for (const [place, value] of one.entries()) {
    dot += value * other[place];
    left += value * value;
    right += other[place] * other[place];
  }
  return left && right ? dot / Math.sqrt(left * right) : 0;
}
