// The outputs of an answer, each drawn as fits it; another drawing can be chosen.
import { html, useState } from "../../lib.js";
import { shape } from "../../format.js";
import { Code, Empty, Problem, useAction } from "../../ui.js";
import { countOf, isFloat, isText } from "./datatypes.js";
import { Bars } from "./bars.js";
import { Heat, Shown as ImageShown, imageShape } from "./drawings.js";
import { classNames } from "./class-names.js";
import { Json } from "./json.js";
import { writeNpy } from "./npy.js";
import { save } from "./save.js";
import { Grid } from "./grid.js";

const DRAWN = { bars: ["bars", BarRows], heat: ["a heat map", Heat], image: ["an image", ImageShown], table: ["a table", Grid] };
const CLASSES = 1000;
const ROWS = 5; // rows that get bars

export default function Outputs({ result, about }) {
  const { outputs, text } = result.answer;
  if (!outputs.length) return html`<${Code} text=${text.slice(0, 20_000)} />`;
  return html`${outputs.map((output) => html`<${Output} key=${output.name} output=${output} outputs=${outputs} result=${result} about=${about} />`)}
    <${Json} result=${result} />`;
}

function Output({ output, outputs, result, about }) {
  const { name, datatype, shape: dims, values } = output;
  const ways = Object.keys(DRAWN).filter((way) => fits(way, output));
  const [way, setWay] = useState(ways[0]);
  const [, View] = DRAWN[way];
  const [names, setNames] = useState();
  const { run, busy, error } = useAction(async () => setNames(await classNames(result, about, output)));
  const labels = names ?? outputs.find((one) => one.name === `${name}_labels`)?.values;
  const nameable = way === "bars" && !labels && result.request.inputs && about.files?.some((file) => /(^|\/)labels\.txt$/.test(file.name));
  return html`<section><h3><code>${name}</code> <span class="hint">${datatype} ${shape(dims)}</span></h3>
    <div class="row">${ways.length > 1 && html`<div role="group" aria-label=${`Draw ${name} as`} class="row">
      ${ways.map((one) => html`<button type="button" key=${one} class="small" aria-pressed=${one === way} onClick=${() => setWay(one)}>
      ${DRAWN[one][0]}</button>`)}</div>`}
      ${!isText(datatype) && values.length > 16 && html`<button type="button" class="small"
        onClick=${() => save(writeNpy(datatype, dims, values), `${name.replace(/[^\w.-]/g, "_")}.npy`)}>Save as .npy</button>`}
      ${nameable && html`<button type="button" class="small" disabled=${busy} onClick=${run}>Name the classes</button>`}</div>
    ${error && html`<${Problem} error=${error} />`}
    ${values.length ? html`<${View} output=${output} labels=${labels} />` : html`<${Empty}>It has no values.<//>`}</section>`;
}

function fits(way, { datatype, shape: dims, values }) {
  const numbers = !isText(datatype) && datatype !== "BOOL" && values.every((value) => typeof value === "number");
  const matrix = dims.length === 2 || (dims.length === 3 && dims[0] === 1);
  const width = dims.at(-1);
  if (way === "bars") return isFloat(datatype) && dims.length === 2 && width >= 2 && width <= CLASSES && dims[0] <= ROWS && values.every(Number.isFinite);
  if (way === "heat") return numbers && matrix && dims.at(-2) >= 2 && width >= 2 && countOf(dims) <= 1_000_000;
  if (way === "image") return numbers && imageShape(dims) !== null;
  return true;
}

const MOST = 10;

// The largest values of each row, with the class that each stands for.
function BarRows({ output, labels }) {
  const [rows, width] = output.shape;
  return Array.from({ length: rows }, (_, row) => {
    const named = output.values.slice(row * width, (row + 1) * width).map((value, place) => [String(labels?.[place] ?? place), value]);
    const percent = named.every(([, value]) => value >= 0) && Math.abs(named.reduce((sum, [, value]) => sum + value, 0) - 1) < 0.01;
    const best = named.sort((one, other) => other[1] - one[1]).slice(0, MOST);
    return html`<div key=${row}>
      ${rows > 1 && html`<p class="hint">Row ${row + 1}</p>`}<${Bars} percent=${percent} rows=${best} label=${`${output.name}, row ${row + 1}`} />
      ${width > MOST && html`<p class="hint">The ${MOST} largest of ${width}.</p>`}</div>`;
  });
}
