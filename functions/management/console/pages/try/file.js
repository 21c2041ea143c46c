// A tensor from a .npy file. Of the input's own datatype it is sent as it is, else as numbers, which the server checks.
import { html, useState } from "../../lib.js";
import { countOf, decode } from "./datatypes.js";
import { shape as shown } from "../../format.js";
import { FileInput } from "./file-input.js";
import { FieldError } from "./request.js";
import { parseNpy } from "./npy.js";

export function FromFile({ tensor, provide }) {
  const { name, datatype, shape } = tensor;
  const [chosen, setChosen] = useState(null); // {array, file}
  provide(() => {
    if (!chosen) throw new FieldError(name, "Choose a file.");
    const { array, file } = chosen;
    const sizes = array.shape.length === shape.length - 1 ? [1, ...array.shape] : array.shape;
    if (array.datatype === datatype) return { shape: sizes, raw: array.raw, file: file.name, blob: file };
    const values = decode(array.datatype, array.raw, countOf(sizes));
    return { shape: sizes, tokens: values.map((value) => (Number.isFinite(value) || typeof value !== "number" ? String(value) : `"${value}"`)) };
  });
  const clear = () => setChosen(null);
  const take = async (file) => {
    clear();
    setChosen({ array: parseNpy(new Uint8Array(await file.arrayBuffer())), file });
  };
  return html`<${FileInput} label="File of NumPy, .npy" accept=".npy" take=${take} clear=${clear} />
    ${chosen && html`<p class="hint">${said(chosen.array, tensor)}</p>`}`;
}

function said(array, { datatype, shape }) {
  const batch = array.shape.length === shape.length - 1 ? ", sent as a batch of one" : "";
  const converted = array.datatype === datatype ? "" : `; sent as numbers, and refused if one is none of ${datatype}; fractions are rounded to it`;
  return `${array.datatype} ${shown(array.shape)}${batch}${converted}.`;
}
