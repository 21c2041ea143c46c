// Matrices as heat maps, and tensors of an image's shape as images.
import { html, useEffect, useRef } from "../../lib.js";

const LEAST = 8; // pixels of a side

const number = (value) => String(Number(value.toPrecision(4)));

function Canvas({ width, height, colorAt, label }) {
  const canvas = useRef();
  useEffect(() => {
    const data = new ImageData(width, height);
    for (let place = 0; place < width * height; place++) data.data.set([...colorAt(place), 255], place * 4);
    canvas.current.getContext("2d").putImageData(data, 0, 0);
  });
  return html`<canvas ref=${canvas} class="pixels" width=${width} height=${height} role="img" aria-label=${label} />`;
}

function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

const DARK = [40, 20, 90];
const BRIGHT = [250, 225, 90];

export function Heat({ output }) {
  const [height, width] = output.shape.slice(-2);
  const [low, high] = extent(output.values);
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const colorAt = (place) => {
    const value = output.values[place];
    return Number.isFinite(value) ? DARK.map((dark, one) => dark + (BRIGHT[one] - dark) * share(value)) : [128, 128, 128];
  };
  return html`<${Canvas} width=${width} height=${height} colorAt=${colorAt} label=${`Heat map of ${output.name}, ${height} rows and ${width} columns`} />
    <p class="hint">Dark is ${number(low)}, bright is ${number(high)}.</p>`;
}

// {channels, width, height, last} of a shape that an image has: [c, h, w] or [h, w, c], with or without a batch of one; else null.
export function imageShape(shape) {
  const dims = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  if (dims.length !== 3) return null;
  const last = ![1, 3].includes(dims[0]);
  const [channels, height, width] = last ? [dims[2], dims[0], dims[1]] : dims;
  return [1, 3].includes(channels) && width >= LEAST && height >= LEAST ? { channels, width, height, last } : null;
}

export function Shown({ output }) {
  const { channels, width, height, last } = imageShape(output.shape);
  const { values } = output;
  const [low, high] = extent(values);
  const [from, to] = low >= 0 && high <= 1 ? [0, 1] : low >= 0 && high <= 255 ? [0, 255] : [low, high];
  const level = (place, channel) => {
    const at = channels === 1 ? place : last ? place * channels + channel : channel * width * height + place;
    return ((values[at] - from) / (to - from || 1)) * 255;
  };
  return html`<${Canvas} width=${width} height=${height} colorAt=${(place) => [0, 1, 2].map((channel) => level(place, channel))}
    label=${`${output.name} as an image, ${width} × ${height}`} />
    <p class="hint">Black is ${number(from)}, white is ${number(to)}.</p>`;
}
