"""The Open Inference Protocol on NumPy, written by hand: a request's bytes to arrays, arrays to an answer's bytes."""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

KINDS = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "BF16": "<u2"}
KINDS |= {
    f"{prefix}INT{8 * size}": f"<{kind}{size}" for prefix, kind in (("U", "u"), ("", "i")) for size in (1, 2, 4, 8)
}
Compute = Callable[[dict[str, Any], list[np.ndarray]], Mapping[str, tuple[str, np.ndarray]]]


def answer(body: bytes, header_length: int | None, said: dict[str, str], compute: Compute) -> tuple[bytes, int | None]:
    """`compute` gives outputs, a datatype and an array each. The answer's bytes, and how many of them are JSON."""
    at = len(body) if header_length is None else header_length
    request = json.loads(body[:at])
    arrays = []
    for tensor in request["inputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size", 0)
        arrays.append(read_raw(tensor, body[at : at + size]) if "data" not in tensor else read_json(tensor))
        at += size
    assert at == len(body)
    outputs, raws = [], b""
    for name, (datatype, array) in compute(request, arrays).items():
        if "outputs" in request and name not in [one["name"] for one in request["outputs"]]:
            continue
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(array.shape)}
        if request.get("parameters", {}).get("binary_data_output"):
            raw = write_raw(array)
            output["parameters"], raws = {"binary_data_size": len(raw)}, raws + raw
        else:
            output["data"] = [_spelled(value) for value in array.ravel().tolist()]
        outputs.append(output)
    head = json.dumps(said | {"outputs": outputs} | ({"id": request["id"]} if "id" in request else {})).encode()
    return head + raws, len(head) if raws else None


def read_raw(tensor: dict[str, Any], raw: bytes) -> np.ndarray:
    if tensor["datatype"] != "BYTES":
        return np.frombuffer(raw, KINDS[tensor["datatype"]]).reshape(tensor["shape"])
    elements, at = [], 0
    while at < len(raw):
        length = struct.unpack("<I", raw[at : at + 4])[0]
        elements.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    array = np.empty(len(elements), object)
    array[:] = elements
    return array.reshape(tensor["shape"])


def read_json(tensor: dict[str, Any]) -> np.ndarray:
    return np.array(tensor["data"], KINDS.get(tensor["datatype"], object)).reshape(tensor["shape"])


def write_raw(array: np.ndarray) -> bytes:
    if array.dtype != object:
        return array.tobytes()
    return b"".join(struct.pack("<I", len(one)) + one for one in array.ravel())


def _spelled(value: object) -> object:
    odd = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return odd.get(str(value), value) if isinstance(value, float) else value
