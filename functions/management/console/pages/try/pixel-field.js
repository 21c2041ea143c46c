// An input that holds an image: drawn, or from a file, in its own size; beside it what the model gets.
import { html, useEffect, useRef, useState } from "../../lib.js";
import { Check } from "../../inputs.js";
import { Picture } from "./picture.js";
import { imageOf, RANGES, rangeFor, scaled, tokensOf } from "./pixels.js";
import { FieldError } from "./request.js";

export function Pixels({ tensor, measured, provide }) {
  const image = imageOf(tensor, measured);
  const [source, setSource] = useState(null); // {strokes, canvas} or {bitmap}
  const [range, setRange] = useState(rangeFor(tensor, image));
  const [inverts, setInverts] = useState(false);
  const [fits, setFits] = useState(true);
  const [problem, setProblem] = useState("");
  const take = async ([file]) => {
    try {
      setSource({ bitmap: await createImageBitmap(file) });
      setProblem("");
    } catch {
      setProblem(`${file.name} is no image that this browser can read.`);
    }
  };
  const pixels = source && scaled(source, image, fits && image.channels === 1);
  provide(() => {
    if (!source) throw new FieldError(tensor.name, "Draw, drop, paste or choose an image.");
    return { shape: image.shape, tokens: tokensOf(pixels, image, { range, inverts, datatype: tensor.datatype }) };
  });
  return html`<${Picture} color=${image.channels === 3} onFiles=${take} onDrawn=${setSource} error=${problem}>
    ${pixels && html`<${Preview} pixels=${pixels} image=${image} inverts=${inverts} />`}<//>
    <div class="row"><label>Values <select value=${range} onChange=${(event) => setRange(event.target.value)}>
      ${Object.keys(RANGES).map((one) => html`<option key=${one}>${one}</option>`)}</select></label>
      <${Check} label="Turn dark into light" value=${inverts} set=${setInverts} />
      ${image.channels === 1 && html`<${Check} label="Centre and scale what is drawn" value=${fits} set=${setFits} />`}</div>`;
}

function Preview({ pixels, image, inverts }) {
  const canvas = useRef();
  useEffect(() => {
    const data = new ImageData(image.width, image.height);
    pixels.forEach((pixel, place) => {
      const gray = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
      const shown = (image.channels === 1 ? [gray, gray, gray] : pixel).map((one) => 255 * (inverts ? 1 - one : one));
      data.data.set([...shown, 255], place * 4);
    });
    canvas.current.getContext("2d").putImageData(data, 0, 0);
  });
  return html`<div><p class="hint">What the model gets: ${image.width} × ${image.height}${image.channels === 3 ? ", in colour" : ""}</p>
    <canvas ref=${canvas} class="pixels" width=${image.width} height=${image.height} role="img" aria-label="The image as the model gets it" /></div>`;
}
