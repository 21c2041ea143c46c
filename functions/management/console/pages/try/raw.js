// The form of a version's tensors: one field for each input, whose kinds of entry depend on its shape.
import { html, useRef, useState } from "../../lib.js";
import { shape } from "../../format.js";
import { Check } from "../../inputs.js";
import { asSent } from "./bytes.js";
import { FromFile } from "./file.js";
import { Pixels } from "./pixel-field.js";
import { imageOf } from "./pixels.js";
import { Sheet } from "./sheet.js";
import { Values } from "./values.js";
import { Variant } from "./variant.js";
import { isText } from "./datatypes.js";

const WAYS = { values: [Values, "values"], sheet: [Sheet, "a table"], picture: [Pixels, "an image"], file: [FromFile, "a .npy file"] };

export default function Raw({ about, inputs, collect, wrong }) {
  const reads = useRef({});
  const [variant, setVariant] = useState();
  const [left, setLeft] = useState(() => new Set(inputs.filter((one) => one.parameters?.optional).map((one) => one.name)));
  collect.current = async () => {
    const given = inputs.filter((tensor) => !left.has(tensor.name));
    const tensors = await Promise.all(given.map(async (tensor) => ({ name: tensor.name, datatype: tensor.datatype, ...(await reads.current[tensor.name]()) })));
    const files = tensors.filter((one) => one.blob).map((one) => ({ name: one.file, blob: one.blob }));
    return { inputs: tensors.map(asSent), parameters: { variant }, outputs: binaryOutputs(about), files };
  };
  const leave = (name, gone) => setLeft(new Set(gone ? [...left, name] : [...left].filter((one) => one !== name)));
  return html`${inputs.map((tensor) => html`<fieldset key=${tensor.name}><legend><code>${tensor.name}</code> ${tensor.datatype} ${shape(tensor.shape)}</legend>
      ${tensor.parameters?.optional && html`<${Check} label="Leave it out: the model has a value of its own"
        value=${left.has(tensor.name)} set=${(gone) => leave(tensor.name, gone)} />`}
      ${!left.has(tensor.name) && html`<${Input} tensor=${tensor} about=${about} error=${wrong(tensor.name)} reads=${reads.current} />`}</fieldset>`)}
    <${Variant} about=${about} value=${variant} onChange=${setVariant} wrong=${wrong} />`;
}

function Input({ tensor, about, error, reads }) {
  const measured = about.profile?.shapes?.[tensor.name];
  const ways = Object.keys(WAYS).filter((way) => fits(way, tensor, measured));
  const [way, setWay] = useState(ways.includes("picture") ? "picture" : ways[0]);
  const [Entry] = WAYS[way];
  return html`${ways.length > 1 && html`<div class="row" role="group" aria-label=${`Give ${tensor.name} as`}>
    ${ways.map((one) => html`<button type="button" key=${one} class="small" aria-pressed=${way === one} onClick=${() => setWay(one)}>
    ${WAYS[one][1]}</button>`)}</div>`}
    <${Entry} key=${way} tensor=${tensor} measured=${measured} example=${about.profile?.values?.[tensor.name]} error=${error}
      provide=${(read) => (reads[tensor.name] = read)} />
    ${error && html`<p class="wrong" role="alert">${error}</p>`}`;
}

function fits(way, tensor, measured) {
  if (way === "sheet") return tensor.shape.length === 2;
  if (way === "picture") return imageOf(tensor, measured) !== null;
  return way === "values" || !isText(tensor.datatype);
}

// BF16 has no form in JSON: if an output has it, the outputs are asked for by name, these as bytes.
function binaryOutputs({ outputs, task }) {
  if (task || outputs.every((one) => one.datatype !== "BF16")) return undefined;
  return outputs.map(({ name, datatype }) => (datatype === "BF16" ? { name, parameters: { binary_data: true } } : { name }));
}
