// Texts with the entities that were found in them marked; places count characters, as Python does.
import { html } from "../../lib.js";
import { SERIES } from "../../charts.js";
import { percent } from "../../format.js";
import { Bars } from "./bars.js";
import { Json } from "./json.js";

export default function Spans({ result }) {
  const found = result.answer.outputs.find((one) => one.name === "entities").values.map((text) => JSON.parse(text));
  const kinds = [...new Set(found.flat().map(kindOf))].sort();
  return html`${result.request.texts.map((text, place) => html`<section key=${place}>
      <p class="spans">${pieces(text, found[place]).map(([piece, entity], at) => (entity
        ? html`<mark key=${at} style=${{ borderColor: `var(${SERIES[kinds.indexOf(kindOf(entity)) % SERIES.length]})` }}
          title=${`${kindOf(entity)}, ${percent(entity.score)}`}>${piece}<small> ${kindOf(entity)}</small></mark>`
        : piece))}</p>
      ${found[place].length ? html`<${Bars} percent label=${`Entities of text ${place + 1}`}
        rows=${found[place].map((entity) => [`${entity.word} · ${kindOf(entity)}`, entity.score])} />` : html`<p
        class="hint">Nothing was found in it.</p>`}</section>`)}
    <${Json} result=${result} />`;
}

const kindOf = (entity) => entity.entity_group ?? entity.entity;

// [[piece of text, entity or undefined]]; what overlaps the entity before it is not marked.
function pieces(text, entities) {
  const characters = Array.from(text);
  const parts = [];
  let at = 0;
  for (const entity of [...entities].sort((one, other) => one.start - other.start)) {
    if (entity.start < at || entity.end <= entity.start) continue;
    parts.push([characters.slice(at, entity.start).join("")], [characters.slice(entity.start, entity.end).join(""), entity]);
    at = entity.end;
  }
  return [...parts, [characters.slice(at).join("")]];
}
