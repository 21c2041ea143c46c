// Requests and answers of the Open Inference Protocol. JSON is written and read so that integers keep all their digits.
import { countOf, decode, isFloat } from "./datatypes.js";

const LENGTH = "inference-header-content-length";

// A wrong value of a form: `field` is what the API would name.
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

// request: {inputs: [{name, datatype, shape, tokens | raw}], parameters?, binary?: names of outputs} or {document, path}.
// → {body, text, headers, path}: `text` is the whole JSON, null if bytes follow it.
export function built(request, model, version) {
  const headers = { "content-type": "application/json" };
  const named = encodeURIComponent(model);
  if (request.v1) return { body: request.document, text: request.document, headers, path: v1Path(named, version) };
  const path = `/v2/models/${named}${version ? `/versions/${encodeURIComponent(version)}` : ""}/infer`;
  if (request.document) return { body: request.document, text: request.document, headers, path };
  const raw = [];
  const inputs = request.inputs.map((tensor) => {
    const said = `"name":${JSON.stringify(tensor.name)},"shape":[${tensor.shape}],"datatype":"${tensor.datatype}"`;
    if (!tensor.raw) return `{${said},"data":[${tensor.tokens.join(",")}]}`;
    raw.push(tensor.raw);
    return `{${said},"parameters":{"binary_data_size":${tensor.raw.length}}}`;
  });
  const parts = [`"inputs":[${inputs.join(",")}]`];
  if (request.parameters && Object.keys(request.parameters).length) parts.push(`"parameters":${JSON.stringify(request.parameters)}`);
  if (request.outputs) parts.push(`"outputs":${JSON.stringify(request.outputs)}`);
  const text = `{${parts.join(",")}}`;
  if (!raw.length) return { body: text, text, headers, path };
  const head = new TextEncoder().encode(text);
  return { body: new Blob([head, ...raw]), text: null, headers: { "content-type": "application/octet-stream", [LENGTH]: String(head.length) }, path };
}

function v1Path(model, version) {
  if (!version) return `/v1/models/${model}:predict`;
  return `/v1/models/${model}/${/^\d+$/.test(version) ? "versions" : "labels"}/${encodeURIComponent(version)}:predict`;
}

// An answer of send() → {text, document, outputs: [{name, datatype, shape, values}]}; an answer of another protocol has no outputs.
export function read({ bytes, headers }) {
  const length = Number(headers.get(LENGTH) ?? bytes.length);
  const text = new TextDecoder().decode(bytes.subarray(0, length));
  const document = parsed(text);
  let at = length;
  const listed = Array.isArray(document.outputs) && document.outputs.every((one) => one?.datatype); // else it is of another protocol
  const outputs = (listed ? document.outputs : []).map((output) => {
    const { name, datatype, shape, parameters } = output;
    const size = parameters?.binary_data_size;
    if (size === undefined) return { name, datatype, shape, values: isFloat(datatype) ? output.data.flat(Infinity).map(Number) : output.data.flat(Infinity) };
    const values = decode(datatype, bytes.slice(at, at + size), countOf(shape));
    at += size;
    return { name, datatype, shape, values };
  });
  return { text, document, outputs };
}

const tells = JSON.parse("1", (_, value, context) => context?.source) === "1"; // whether the browser tells a number's text

// JSON whose integers beyond 2^53 become BigInt, or text in a browser that has read them as fractions already.
export function parsed(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  if (!tells) return JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (one) => (/^-?\d{16,}$/.test(one) ? `"${one}"` : one)));
  return JSON.parse(text, (_, value, { source }) =>
    (typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value));
}

// The value beside which an error of the API is shown: the name of an input, of an option, or "" for the whole request.
export function fieldOf(error, inputs) {
  const field = error?.field ?? "";
  const named = /^inputs\[(.*?)\]/.exec(field)?.[1] ?? field.replace(/^parameters\./, "");
  return inputs.some((tensor) => tensor.name === named) || field.startsWith("parameters.") ? named : "";
}
