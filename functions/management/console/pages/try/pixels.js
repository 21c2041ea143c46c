// Images as tensors: which inputs can be one, and its pixels in the size, order and range that the input has.
import { isInteger, isText } from "./datatypes.js";
import { draw } from "./picture.js";

export const RANGES = { "0 to 1": [0, 1], "0 to 16": [0, 16], "0 to 255": [0, 255], "-1 to 1": [-1, 1] };
const LEAST = 6; // pixels of a side: anything smaller is hardly an image
const finer = ({ width }) => (width <= 64 ? 8 : 2); // times that an image is drawn finer than the tensor, then averaged
const COARSE = 12; // pixels: an image this small is filled by the strokes, as the well-known 8 × 8 digits are

// {width, height, channels, shape, last: channels come last} of an input that an image fits, else null.
export function imageOf({ datatype, shape }, measured) {
  if (isText(datatype) || datatype === "BOOL") return null;
  const dims = shape.map((dim, place) => (dim === -1 ? (place === 0 && shape.length !== 2 ? 1 : measured?.[place] ?? 1) : dim));
  if (shape.length === 2) {
    const side = Math.sqrt(dims[1]);
    return Number.isInteger(side) && side >= LEAST && [-1, 1].includes(shape[0]) ? { width: side, height: side, channels: 1, shape: [1, dims[1]] } : null;
  }
  if (shape.length === 3) {
    if ([1, 3].includes(dims[0])) return sized({ channels: dims[0], height: dims[1], width: dims[2], shape: dims });
    return dims[2] === 3 ? sized({ height: dims[0], width: dims[1], channels: 3, shape: dims, last: true }) : null;
  }
  if (shape.length !== 4 || dims[0] !== 1) return null;
  if ([1, 3].includes(dims[1])) return sized({ channels: dims[1], height: dims[2], width: dims[3], shape: dims });
  return [1, 3].includes(dims[3]) ? sized({ height: dims[1], width: dims[2], channels: dims[3], shape: dims, last: true }) : null;
}

const sized = (image) => (image.width >= LEAST && image.height >= LEAST ? image : null);

export function rangeFor(tensor, image) {
  if (tensor.datatype === "UINT8") return "0 to 255";
  return image.shape.length === 2 && image.width === 8 ? "0 to 16" : "0 to 1";
}

// A canvas of the image's own size: strokes, centred and scaled if `fits`, or a picture that covers it.
export function scaled({ strokes, canvas, bitmap }, image, fits) {
  const times = finer(image);
  const fine = new OffscreenCanvas(image.width * times, image.height * times);
  const context = fine.getContext("2d", { willReadFrequently: true });
  context.fillRect(0, 0, fine.width, fine.height);
  if (strokes && fits) {
    const small = Math.min(image.width, image.height);
    const pen = (small <= COARSE ? small * 0.18 : small * 0.1) * times;
    for (const stroke of fitted(strokes, fine, pen, small <= COARSE ? 0 : (small / 7) * times)) draw(fine, stroke, "#fff", pen);
  } else {
    const from = bitmap ?? canvas;
    const scale = Math.max(fine.width / from.width, fine.height / from.height);
    context.drawImage(from, (fine.width - from.width * scale) / 2, (fine.height - from.height * scale) / 2, from.width * scale, from.height * scale);
  }
  return averaged(context, image);
}

// The strokes moved and scaled so that their box, pen included, fills the canvas but for the margin, and is centred.
function fitted(strokes, { width, height }, pen, margin) {
  const points = strokes.flat();
  const [left, right] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const [top, bottom] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
  const room = (size) => size - pen - 2 * margin;
  const scale = Math.min(room(width) / Math.max(right - left, 1), room(height) / Math.max(bottom - top, 1));
  return strokes.map((stroke) => stroke.map(([x, y]) => [width / 2 + (x - (left + right) / 2) * scale, height / 2 + (y - (top + bottom) / 2) * scale]));
}

// [[red, green, blue] from 0 to 1] of each pixel, row by row.
function averaged(context, image) {
  const { width, height } = image;
  const times = finer(image);
  const { data } = context.getImageData(0, 0, width * times, height * times);
  return Array.from({ length: width * height }, (_, place) => {
    const sum = [0, 0, 0];
    for (let y = 0; y < times; y++) {
      for (let x = 0; x < times; x++) {
        const at = (((Math.floor(place / width) * times + y) * width + (place % width)) * times + x) * 4;
        for (let color = 0; color < 3; color++) sum[color] += data[at + color];
      }
    }
    return sum.map((one) => one / (255 * times * times));
  });
}

// The values of the tensor in its order, as JSON text.
export function tokensOf(pixels, image, { range, inverts, datatype }) {
  const [low, high] = RANGES[range];
  const value = (share) => {
    const scaled = low + (inverts ? 1 - share : share) * (high - low);
    return isInteger(datatype) ? String(Math.round(scaled)) : String(Number(scaled.toFixed(6)));
  };
  const gray = ([red, green, blue]) => 0.299 * red + 0.587 * green + 0.114 * blue;
  if (image.channels === 1) return pixels.map((pixel) => value(gray(pixel)));
  if (image.last) return pixels.flatMap((pixel) => pixel.map(value));
  return [0, 1, 2].flatMap((color) => pixels.map((pixel) => value(pixel[color])));
}
