// The classes of each text or image, the best first, as bars.
import { html } from "../../lib.js";
import { Bars } from "./bars.js";
import { Json } from "./json.js";

const MOST = 10; // classes of one item

export default function Classes({ result, about }) {
  const found = Object.fromEntries(result.answer.outputs.map((one) => [one.name, one]));
  const items = result.request.texts;
  return html`${items.map((item, place) => html`<section key=${place}><h3>
    ${result.request.pictures && html`<img class="thumb" src=${result.request.pictures[place]} alt="" />`} ${item}</h3>
      <${Bars} percent rows=${rowsOf(found, place, about.task).slice(0, MOST)} label=${`Classes of ${item}`} /></section>`)}
    <${Json} result=${result} />`;
}

// [[label, score]] of the item at this place: all classes (`scores`), or the best ones with their labels beside them.
function rowsOf({ scores, score, label, token, sequence }, place, task) {
  if (scores) {
    const width = scores.shape[1];
    const labels = task.parameters.labels ?? [];
    const rows = Array.from({ length: width }, (_, one) => [labels[one] ?? `class ${one}`, scores.values[place * width + one]]);
    return rows.sort((one, other) => other[1] - one[1]);
  }
  const width = score.shape[1] ?? 1;
  const names = sequence ?? label ?? token;
  return Array.from({ length: width }, (_, one) => {
    const at = place * width + one;
    return [token ? `${token.values[at]} · ${names.values[at]}` : names.values[at], score.values[at]];
  });
}
