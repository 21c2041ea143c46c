// Where an image comes from: a file chosen, dropped or pasted, or strokes drawn by mouse, pen or finger.
import { html, useEffect, useRef, useState } from "../../lib.js";

const SIDE = 280; // pixels of the drawing
const PEN = 18;

// onFiles(files) for images of files; onDrawn({strokes: [[x, y], …][], canvas}) after each stroke, null when it is cleared.
export function Picture({ onFiles, onDrawn, error, color = false, children }) {
  const canvas = useRef();
  const strokes = useRef([]);
  const [pen, setPen] = useState(color ? "#000000" : "#ffffff");
  const paper = color ? "#ffffff" : "#000000";
  useEffect(() => {
    clear();
    const paste = (event) => take(event.clipboardData?.files, event);
    document.addEventListener("paste", paste);
    return () => document.removeEventListener("paste", paste);
  }, []);
  const take = (files, event) => {
    const images = [...(files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!images.length) return;
    event.preventDefault();
    onFiles(images);
  };
  const clear = () => {
    strokes.current = [];
    const context = canvas.current.getContext("2d");
    context.fillStyle = paper;
    context.fillRect(0, 0, SIDE, SIDE);
    onDrawn(null);
  };
  const at = (event) => {
    const box = canvas.current.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  const begin = (event) => {
    event.preventDefault();
    canvas.current.setPointerCapture(event.pointerId);
    strokes.current.push([at(event)]);
    draw(canvas.current, strokes.current.at(-1), pen);
  };
  const move = (event) => {
    if (!canvas.current.hasPointerCapture(event.pointerId)) return;
    strokes.current.at(-1).push(...(event.getCoalescedEvents?.() ?? [event]).map(at));
    draw(canvas.current, strokes.current.at(-1), pen);
  };
  const finish = () => onDrawn({ strokes: [...strokes.current], canvas: canvas.current });
  return html`<div class="picture" onDragOver=${(event) => event.preventDefault()}
    onDrop=${(event) => { event.preventDefault(); take(event.dataTransfer.files, event); }}>
    <div><canvas ref=${canvas} class="paper" width=${SIDE} height=${SIDE} role="img" aria-label="Drawing: draw here with mouse, pen or finger"
        onPointerDown=${begin} onPointerMove=${move} onPointerUp=${finish} onPointerCancel=${finish} />
      <div class="actions"><button type="button" class="small" onClick=${clear}>Clear</button>
        ${color && html`<label>Pen <input type="color" value=${pen} onInput=${(event) => setPen(event.target.value)} /></label>`}</div></div>
    <div><p>Draw, drop or paste an image here, or choose a file:</p>
      <input type="file" accept="image/png,image/jpeg,image/webp" multiple aria-label="Image file"
        onChange=${(event) => { take(event.target.files, event); event.target.value = ""; }} />
      ${error && html`<p class="wrong">${error}</p>`}</div>${children}</div>`;
}

// The stroke as a line with round ends; a single point as a dot.
export function draw(canvas, stroke, color, width = PEN) {
  const context = canvas.getContext("2d");
  Object.assign(context, { strokeStyle: color, lineWidth: width, lineCap: "round", lineJoin: "round" });
  context.beginPath();
  context.moveTo(...stroke[0]);
  for (const point of stroke.length > 1 ? stroke : [stroke[0], stroke[0]]) context.lineTo(...point);
  context.stroke();
}
