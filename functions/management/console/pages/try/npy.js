// NumPy's .npy files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
import { countOf, encode, sizeOf } from "./datatypes.js";

const OF = {
  "|b1": "BOOL", "|u1": "UINT8", "<u2": "UINT16", "<u4": "UINT32", "<u8": "UINT64", "|i1": "INT8", "<i2": "INT16", "<i4": "INT32",
  "<i8": "INT64", "<f2": "FP16", "<f4": "FP32", "<f8": "FP64",
};
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

// {datatype, shape, raw} of a file's bytes; throws a sentence for a file that is none, or of a kind that cannot be sent as it is.
export function parseNpy(bytes) {
  if (MAGIC.some((byte, place) => bytes[place] !== byte)) throw new Error("This is no .npy file.");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const wide = bytes[6] > 1;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const head = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  const kind = /'descr':\s*'([^']+)'/.exec(head)?.[1];
  const datatype = OF[kind];
  if (!datatype) throw new Error(`The file holds ${kind ? `elements of kind ${kind}` : "records"}: save numbers or booleans, little-endian.`);
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(head)?.[1] ?? "").split(",").map((one) => one.trim()).filter(Boolean).map(Number);
  if (/'fortran_order':\s*True/.test(head) && shape.length > 1) throw new Error("The file is in column order: save numpy.ascontiguousarray(array).");
  const raw = bytes.subarray(start + length);
  const expected = countOf(shape) * sizeOf(datatype);
  if (raw.length !== expected) throw new Error(`The file has ${raw.length} bytes of data, expected ${expected} for shape [${shape}].`);
  return { datatype, shape, raw };
}

// A file of these values; fractions of 16 bits are written with 32.
export function writeNpy(datatype, shape, values) {
  const written = sizeOf(datatype) === 2 && /^(FP|BF)/.test(datatype) ? "FP32" : datatype;
  const descr = Object.keys(OF).find((kind) => OF[kind] === written);
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const said = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${dims}), }`;
  const head = `${said.padEnd(Math.ceil((said.length + 11) / 64) * 64 - 11)}\n`;
  const start = new Uint8Array([...MAGIC, 1, 0, head.length & 255, head.length >> 8]);
  const big = written === "INT64" || written === "UINT64";
  return new Blob([start, head, encode(written, big ? values.map(BigInt) : values)]);
}
