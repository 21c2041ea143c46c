// The texts that were ranked, the best first.
import { html } from "../../lib.js";
import { Bar } from "../../charts.js";
import { Table } from "../../ui.js";
import { Json } from "./json.js";

export default function Ranked({ result }) {
  const scores = result.answer.outputs.find((one) => one.name === "score").values;
  const rows = result.request.texts.map((text, place) => ({ text, place, score: scores[place] })).sort((one, other) => other.score - one.score);
  const columns = [
    ["Rank", (row) => `${rows.indexOf(row) + 1}.`],
    ["Score", (row) => row.score.toFixed(4), "number"],
    ["Drawn", (row) => html`<${Bar} share=${row.score} label=${`score ${row.score.toFixed(4)}`} />`, "wide"],
    ["Text", (row) => row.text],
    ["Line", (row) => row.place + 1, "number"],
  ];
  return html`<${Table} caption=${`Answers to ${result.request.query}`} columns=${columns} rows=${rows} keyOf=${(row) => row.place} />
    <${Json} result=${result} />`;
}
