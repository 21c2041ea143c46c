// What two versions say of themselves, as rows of a comparison.
import { html } from "../../lib.js";
import { bytes, count, ms, shape, usd } from "../../format.js";
import { Digest } from "../../ui.js";
import { amount, equal } from "./facts.js";

const tensorOf = (tensor) => `${tensor.datatype} ${shape(tensor.shape)}`;

// One row for each name that either list has.
function byName(one, other, title, shown, only) {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.map((name) => {
    const row = equal(title(name), one[name], other[name], shown);
    if (!(name in one) || !(name in other)) row.said = only(name in one ? "first" : "second");
    return row;
  });
}

const named = (items = []) => Object.fromEntries((items ?? []).map((one) => [one.name, one]));
const inOne = (which) => `only in the ${which}`;

export function signature(one, other) {
  return [
    ...byName(named(one.inputs), named(other.inputs), (name) => `input ${name}`, tensorOf, inOne),
    ...byName(named(one.outputs), named(other.outputs), (name) => `output ${name}`, tensorOf, inOne),
  ];
}

export function task(one, other) {
  const parametersOf = (version) => version.task?.parameters ?? {};
  const text = (value) => html`<span class="mono">${JSON.stringify(value).slice(0, 200)}</span>`;
  return [equal("task", one.task?.name, other.task?.name), ...byName(parametersOf(one), parametersOf(other), (name) => name, text, inOne)];
}

const NOISE = 0.1; // times and memory vary so much from one measurement to the next

export function measured(one, other) {
  const [p, q] = [one.profile ?? {}, other.profile ?? {}];
  return [
    amount("Size of all files", one.size_bytes, other.size_bytes, bytes),
    amount("A run", p.run_ms, q.run_ms, ms, NOISE),
    amount("A run of 32", p.run_ms_batch_32, q.run_ms_batch_32, ms, NOISE),
    amount("To load", p.load_ms, q.load_ms, ms, NOISE),
    amount("Memory at most", p.peak_memory_bytes, q.peak_memory_bytes, bytes, NOISE),
    amount("Memory of the function to serve it", p.recommended_memory_mb, q.recommended_memory_mb, (value) => `${count(value)} MB`),
    amount("A million requests", p.usd_per_million_requests, q.usd_per_million_requests, usd, NOISE),
    amount("Test vectors", p.golden_vectors, q.golden_vectors, count),
    equal("Measured with", p.shapes, q.shapes, (shapes) => Object.entries(shapes).map(([name, dims]) => `${name} ${shape(dims)}`).join(", ")),
    equal("Quantised form", kept(one), kept(other)),
  ];
}

const kept = ({ quantized }) => quantized && (quantized.kept ? `${quantized.scheme}, loss ${quantized.difference}` : "not kept");

export function files(one, other) {
  const rows = byName(named(one.files), named(other.files), (name) => name, (file) => html`${bytes(file.size_bytes)}, <${Digest} of=${file.sha256} />`, inOne);
  return rows.map((row) => (row.said === "differs" ? { ...row, said: "other content" } : row));
}

export function metadata(one, other) {
  return [equal("Description", one.description, other.description), ...byName(one.tags, other.tags, (name) => `tag ${name}`, (value) => value, inOne)];
}
