// A tensor as it is sent: BF16 has no form in JSON, so its values become bytes.
import { encode, valueOf } from "./datatypes.js";

export function asSent(tensor) {
  if (tensor.raw || tensor.datatype !== "BF16") return tensor;
  return { ...tensor, raw: encode("BF16", tensor.tokens.map((one) => valueOf("BF16", one))) };
}
