// Elements of tensors: as JSON text, so that no number is rounded on its way, and as bytes, little-endian.
const SIZES = { BOOL: 1, UINT8: 1, UINT16: 2, UINT32: 4, UINT64: 8, INT8: 1, INT16: 2, INT32: 4, INT64: 8, FP16: 2, BF16: 2, FP32: 4, FP64: 8 };
const METHODS = { BOOL: "Uint8", UINT64: "BigUint64", INT64: "BigInt64", FP32: "Float32", FP64: "Float64" };
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const NOT_FINITE = { nan: '"NaN"', infinity: '"Infinity"', inf: '"Infinity"', "+infinity": '"Infinity"', "-infinity": '"-Infinity"', "-inf": '"-Infinity"' };

export const sizeOf = (datatype) => SIZES[datatype];
export const isText = (datatype) => datatype === "BYTES";
export const isFloat = (datatype) => /^(FP|BF)/.test(datatype);
export const isInteger = (datatype) => /^U?INT/.test(datatype);
export const countOf = (shape) => shape.reduce((product, dim) => product * dim, 1);

// What was typed as the text of a JSON value. Throws a sentence for what is no value of the datatype; the server checks its range.
export function token(datatype, typed) {
  if (isText(datatype)) return JSON.stringify(String(typed));
  const text = String(typed).trim();
  if (datatype === "BOOL") {
    if (/^(true|false)$/i.test(text)) return text.toLowerCase();
  } else if (isInteger(datatype)) {
    if (/^[+-]?\d+$/.test(text)) return BigInt(text).toString();
  } else {
    if (Object.hasOwn(NOT_FINITE, text.toLowerCase())) return NOT_FINITE[text.toLowerCase()];
    if (JSON_NUMBER.test(text)) return text;
    if (NUMBER.test(text)) return text.replace(/^\+/, "").replace(/^(-?)0*(?=\d)/, "$1").replace(/^(-?)\./, "$10.").replace(/\.(?!\d)/, "");
  }
  const expected = datatype === "BOOL" ? "true or false" : isInteger(datatype) ? "a whole number" : "a number with a point, such as 0.5";
  throw new Error(`Got “${text.slice(0, 40)}”, expected ${expected} (${datatype}).`);
}

export const valueOf = (datatype, text) => {
  if (datatype === "INT64" || datatype === "UINT64") return BigInt(text);
  const value = JSON.parse(text);
  return isFloat(datatype) ? Number(value) : value;
};

// Values as bytes. 16-bit fractions are made of 32-bit ones, to the nearest, of two the even one.
export function encode(datatype, values) {
  const size = SIZES[datatype];
  const view = new DataView(new ArrayBuffer(values.length * size));
  values.forEach((value, place) => {
    if (datatype === "BF16") view.setUint16(place * 2, bfloat(value), true);
    else view[`set${methodOf(datatype)}`](place * size, typeof value === "boolean" ? Number(value) : value, true);
  });
  return new Uint8Array(view.buffer);
}

export function decode(datatype, bytes, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isText(datatype)) return texts(view, bytes, count);
  const size = SIZES[datatype];
  return Array.from({ length: count }, (_, place) => {
    if (datatype === "FP16") return half(view.getUint16(place * 2, true));
    if (datatype === "BF16") return float(view.getUint16(place * 2, true) * 65536);
    const value = view[`get${methodOf(datatype)}`](place * size, true);
    return datatype === "BOOL" ? Boolean(value) : value;
  });
}

const methodOf = (datatype) => METHODS[datatype] ?? datatype.replace("UINT", "Uint").replace("INT", "Int");

function texts(view, bytes, count) {
  const reader = new TextDecoder();
  let at = 0;
  return Array.from({ length: count }, () => {
    const end = at + 4 + view.getUint32(at, true);
    const text = reader.decode(bytes.subarray(at + 4, end));
    at = end;
    return text;
  });
}

const scratch = new DataView(new ArrayBuffer(4));
function float(bits) {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

function bfloat(value) {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if (Number.isNaN(value)) return 0x7fc0;
  return Math.min((bits + 0x7fff + ((bits >>> 16) & 1)) / 65536, 0xffff) >>> 0;
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}
