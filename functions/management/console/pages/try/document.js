// A whole request in JSON, typed or from a file: of the Open Inference Protocol, or of V1 (instances, or inputs by name).
import { html, useState } from "../../lib.js";
import { Field } from "../../ui.js";
import { FileInput } from "./file-input.js";
import { FieldError, parsed } from "./request.js";

export default function Document({ inputs, collect }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  collect.current = () => {
    try {
      const document = parsed(text);
      if (document === null || typeof document !== "object" || Array.isArray(document)) throw new Error("It is no object.");
      setWrong("");
      return { document: text, v1: "instances" in document || !Array.isArray(document.inputs) };
    } catch (error) {
      setWrong(`This is no request in JSON: ${error.message}`);
      throw new FieldError("", "The request is no JSON");
    }
  };
  const tensors = inputs.map(({ name, datatype, shape }) => ({ name, shape: shape.map((dim) => (dim === -1 ? 1 : dim)), datatype, data: [] }));
  const example = JSON.stringify({ inputs: tensors });
  return html`<${Field} label="Request" error=${wrong} hint="It is sent as it is, with every digit.">${(id, described) => html`
      <textarea id=${id} aria-describedby=${described} rows="8" spellcheck=${false} placeholder=${example} value=${text}
        onInput=${(event) => setText(event.target.value)} />`}<//>
    <${FileInput} label="or a .json file" accept=".json,application/json" take=${async (file) => setText(await file.text())} />`;
}
