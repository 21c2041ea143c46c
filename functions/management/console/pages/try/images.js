// The form of a task on images: files chosen, dropped, pasted or drawn, sent as base64.
import { html, useState } from "../../lib.js";
import { FieldError } from "./request.js";
import { Picture } from "./picture.js";
import { Variant } from "./variant.js";

export default function Images({ about, collect, wrong }) {
  const [files, setFiles] = useState([]);
  const [drawing, setDrawing] = useState(null);
  const [variant, setVariant] = useState();
  collect.current = async () => {
    const all = [...files, ...(drawing?.strokes.length ? [await drawnFile(drawing.canvas)] : [])];
    if (!all.length) throw new FieldError("image", "Choose, drop, paste or draw an image.");
    const encoded = await Promise.all(all.map(dataUrl));
    const tokens = encoded.map((url) => JSON.stringify(url.slice(url.indexOf(",") + 1)));
    const texts = unique(all.map((file) => file.name || "image.png"));
    return {
      inputs: [{ name: "image", datatype: "BYTES", shape: [all.length], tokens }], parameters: { variant }, task: about.task.name,
      texts, pictures: encoded, files: all.map((blob, place) => ({ blob, name: texts[place] })),
    };
  };
  return html`<${Picture} color onFiles=${(added) => setFiles((before) => [...before, ...added])} onDrawn=${setDrawing} error=${wrong("image")} />
    ${files.length > 0 && html`<ul>${files.map((file, place) => html`<li key=${place}>${file.name || "pasted image"}
      <button type="button" class="small" onClick=${() => setFiles(files.filter((one) => one !== file))}>Remove<span
        class="hidden"> ${file.name}</span></button></li>`)}</ul>`}
    <${Variant} about=${about} value=${variant} onChange=${setVariant} wrong=${wrong} />`;
}

const drawnFile = (canvas) => new Promise((done) => canvas.toBlob((blob) => done(new File([blob], "drawing.png", { type: "image/png" })), "image/png"));

const dataUrl = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => failed(new FieldError("image", `${file.name} cannot be read.`));
  reader.readAsDataURL(file);
});

// Names of files that are all different: the second a.png is a-2.png.
function unique(names) {
  return names.map((name, place) => {
    const before = names.slice(0, place).filter((one) => one === name).length;
    return before ? name.replace(/(\.[^.]*)?$/, `-${before + 1}$1`) : name;
  });
}
