// The same request for a shell, for Python and for the command maas. The key stays in $MAAS_API_KEY.
import { html, useState } from "../../lib.js";
import { BASE } from "../../api.js";
import { Code } from "../../ui.js";
import { save } from "./save.js";

const LONGEST = 4000; // characters of a request that is written into the command
const END = "END_OF_INPUT";
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export default function Commands({ result, about }) {
  const { ready, request } = result;
  const size = ready.text?.length ?? request.inputs.reduce((sum, tensor) => sum + (tensor.tokens?.join().length ?? 0), 0);
  const written = size <= LONGEST;
  const file = ready.text === null ? "request.bin" : "request.json";
  const kinds = [["curl", curl(ready, written, file)], ["Python", python(request, ready, written, about)], ["maas", maas(request, ready, written, about)]];
  const [shown, setShown] = useState("curl");
  const text = kinds.find(([name]) => name === shown)[1];
  return html`<h2>The same request</h2>
    <div class="row" role="group" aria-label="Written for">
      ${kinds.map(([name]) => html`<button type="button" key=${name} class="small" aria-pressed=${shown === name} onClick=${() => setShown(name)}>
      ${name}</button>`)}
      ${text?.includes(file) && html`<button type="button" class="small" onClick=${() => save(new Blob([ready.body]), file)}>Save ${file}</button>`}
      ${(request.files ?? []).filter((one) => text?.includes(one.name)).map((one) => html`<button type="button" class="small" key=${one.name}
        onClick=${() => save(one.blob, one.name)}>Save ${one.name}</button>`)}</div>
    ${text ? html`<${Code} text=${text} />` : html`<p class="hint">This cannot be sent that way.</p>`}
    <p class="hint">Set the key first: <code>export MAAS_API_KEY=…</code></p>`;
}

function curl(ready, written, file) {
  const headers = Object.entries(ready.headers).map(([name, value]) => ` \\\n  -H '${name}: ${value}'`).join("");
  const body = written && ready.text ? quoted(ready.text) : `@${file}`;
  return `curl ${quoted(BASE + ready.path)} \\\n  -H "Authorization: Bearer $MAAS_API_KEY"${headers} \\\n  --data-binary ${body}`;
}

// A literal of Python for the JSON text of an array's element.
const LITERALS = { true: "True", false: "False", '"NaN"': 'float("nan")', '"Infinity"': 'float("inf")', '"-Infinity"': 'float("-inf")' };
const literal = (token) => LITERALS[token] ?? token;

function nested(tokens, shape, as) {
  if (shape.length === 0) return as(tokens[0]);
  const size = tokens.length / (shape[0] || 1);
  return `[${Array.from({ length: shape[0] }, (_, place) => nested(tokens.slice(place * size, (place + 1) * size), shape.slice(1), as)).join(", ")}]`;
}

// A literal of Python for a value of JSON that is not null.
function inPython(value) {
  if (Array.isArray(value)) return `[${value.map(inPython).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${inPython(one)}`).join(", ")}}`;
  return { true: "True", false: "False" }[value] ?? JSON.stringify(value);
}
const valueOf = (tensor, as) => nested(tensor.tokens, tensor.shape, tensor.datatype === "BYTES" ? (one) => one : as);

function python(request, ready, written, about) {
  const { model, version } = about;
  const of = version ? `, ${/^\d+$/.test(version) ? version : JSON.stringify(version)}` : "";
  const client = (more, body) =>
    `${more}from maas_client import MaasClient\n\nwith MaasClient(${JSON.stringify(BASE)}) as maas:  # the key is in MAAS_API_KEY\n    ${body}\n`;
  const called = (method, values, more = "") => `maas.${method}(${JSON.stringify(model)}, ${values}${of}${more})`;
  const whole = (source) => client("import json\n\n", `print(${called("infer_json", source)})`);
  if (request.v1) return null;
  if (request.document) return whole('json.load(open("request.json"))');
  const { variant, ...rest } = request.parameters ?? {};
  const form = variant ? `, variant=${JSON.stringify(variant)}` : "";
  const options = form + (Object.keys(rest).length ? `, parameters=${inPython(rest)}` : "");
  if (request.task === "rerank" && !rest.truncate) {
    const ranked = called("rerank", `${JSON.stringify(request.query)}, ${inPython(request.texts)}`, form);
    return client("", `for one in ${ranked}:\n        print(one.score, one.text)`);
  }
  if (request.task === "embeddings" && !Object.keys(rest).length && written) return client("", `print(${called("embed", inPython(request.texts), form)})`);
  if (request.pictures) {
    const files = `{"image": [Path(name).read_bytes() for name in ${inPython(request.texts)}]}`;
    return client("from pathlib import Path\n\n", `print(${called("infer", files, options)})`);
  }
  const loads = request.inputs.some((tensor) => tensor.file);
  if (!written && !loads) return ready.text && whole('json.load(open("request.json"))');
  if (rest.task === "raw") return ready.text && whole(`json.loads(${JSON.stringify(ready.text)})`);
  const given = (tensor) => (tensor.file ? `np.load(${JSON.stringify(tensor.file)})` : valueOf(tensor, literal));
  const values = request.inputs.map((tensor) => `${JSON.stringify(tensor.name)}: ${given(tensor)}`);
  return client(loads ? "import numpy as np\n\n" : "", `print(${called("infer", `{${values.join(", ")}}`, options)})`);
}

function maas(request, ready, written, about) {
  const url = ` --url ${quoted(BASE)}`;
  const named = quoted(`${about.model}${about.version ? `@${about.version}` : ""}`);
  const { variant, ...rest } = request.parameters ?? {};
  const form = variant ? ` --variant ${quoted(variant)}` : "";
  const options = form + Object.entries(rest).map(([name, value]) => ` --option ${quoted(`${name}=${[value].flat().join(",")}`)}`).join("");
  if (request.v1) return null;
  if (request.task === "rerank" && !rest.truncate) {
    return `maas rerank${url}${form} ${named} -- ${quoted(request.query)} - <<'${END}'\n${request.texts.join("\n")}\n${END}`;
  }
  if (request.task === "embeddings" && !Object.keys(rest).length) return `maas embed${url}${form} ${named} -- ${request.texts.map(quoted).join(" ")}`;
  if (request.pictures) return `maas predict ${named}${url}${options}${request.texts.map((name) => ` --image ${quoted(name)}`).join("")}`;
  const [only, ...others] = request.inputs ?? [];
  if (only?.file && !others.length) return `maas predict ${named}${url}${options} --input ${quoted(only.file)}`;
  if (request.document || (ready.text && !written)) return `maas predict ${named}${url} --input request.json`;
  if (request.inputs.some((tensor) => tensor.file)) return null;
  if (request.task) return `maas predict ${named}${url}${options}${request.texts.map((text) => ` --text=${quoted(text)}`).join("")}`;
  const text = ready.text ?? `{${request.inputs.map((tensor) => `${JSON.stringify(tensor.name)}: ${valueOf(tensor, (one) => one)}`).join(", ")}}`;
  return `maas predict ${named}${url}${ready.text ? "" : options} --input - <<'${END}'\n${text}\n${END}`;
}
