// A tensor typed value by value: fields if they are few, else a list; sizes that vary are fields as well.
import { html, useState } from "../../lib.js";
import { countOf, isFloat, isText, token } from "./datatypes.js";
import { FieldError } from "./request.js";

const FIELDS = 16; // values that get a field each

export function Values({ tensor, measured, example, provide }) {
  const { name, datatype, shape } = tensor;
  const [sizes, setSizes] = useState(shape.map((dim, place) => (dim === -1 ? (place === 0 ? 1 : measured?.[place] ?? 1) : dim)));
  const [typed, setTyped] = useState({}); // place → text
  const [list, setList] = useState(null); // the text of the list, once it was changed
  const count = countOf(sizes);
  const first = (place) => startOf(datatype, example, place, sizes);
  const listed = list ?? Array.from({ length: Math.min(count, 100_000) }, (_, place) => first(place)).join(isText(datatype) ? "\n" : " ");
  provide(() => {
    const texts = count <= FIELDS ? Array.from({ length: count }, (_, place) => typed[place] ?? first(place)) : split(datatype, listed);
    if (texts.length !== count) throw new FieldError(name, `Got ${texts.length} values, expected ${count} for the sizes ${sizes.join(" × ")}.`);
    return { shape: sizes, tokens: texts.map((text) => tokenFor(name, datatype, text)) };
  });
  return html`${shape.includes(-1) && html`<div class="row">
    ${shape.map((dim, place) => dim === -1 && html`<label key=${place}>Size of axis ${place + 1} <input class="size" type="number" min="0" value=${sizes[place]}
      onInput=${(event) => setSizes(sizes.map((size, at) => (at === place ? Math.max(0, Math.floor(Number(event.target.value))) : size)))} /></label>`)}</div>`}
    ${count <= FIELDS
      ? html`<div class="values">${Array.from({ length: count }, (_, place) => html`<label key=${place}><span class="hidden">${name} </span>
        ${placeOf(place, sizes)}
          <input value=${typed[place] ?? first(place)} inputmode=${isText(datatype) || datatype === "BOOL" ? "text" : "decimal"}
            onInput=${(event) => setTyped({ ...typed, [place]: event.target.value })} /></label>`)}</div>`
      : html`<label>${count} values, ${isText(datatype) ? "one a line" : "with spaces or commas between"}, the last axis first
          <textarea rows="5" value=${listed} onInput=${(event) => setList(event.target.value)} /></label>`}`;
}

export function tokenFor(name, datatype, text) {
  try {
    return token(datatype, text);
  } catch (error) {
    throw new FieldError(name, error.message);
  }
}

const split = (datatype, text) => (isText(datatype) ? text.replace(/\n$/, "").split("\n") : text.split(/[\s,;[\]]+/).filter(Boolean));

// What the profile was measured with (repeated along the last axis), else a value that every model has.
function startOf(datatype, example, place, sizes) {
  if (example?.length) return String(example[(sizes.length ? place % sizes.at(-1) : 0) % example.length]);
  if (isText(datatype)) return "";
  return datatype === "BOOL" ? "true" : isFloat(datatype) ? "0.5" : "1";
}

// The place of a value in its tensor, as it is written: 0, 2.
function placeOf(place, sizes) {
  const found = [];
  let rest = place;
  for (const size of [...sizes].reverse()) {
    found.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return found.length ? `[${found.join(", ")}]` : "value";
}
