"""The other half of the protocol: what is answered to `infer`, in JSON, in binary or in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from maas.errors import InvalidRequest
from maas.records import ModelVersion

Array = np.ndarray[Any, Any]

# The one FP32, of all 2^32, whose shortest decimal a reader that goes by a double takes for its neighbour.
LOST_ON_THE_WAY = np.uint32(0x15AE43FD).view(np.float32)


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """An output to answer with: an array of any shape, row-major on the wire, little-endian where `binary`."""

    name: str
    datatype: str
    array: Array
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A body; `header_length` is None for JSON alone, else the bytes of JSON before the tensors."""

    body: bytes
    header_length: int | None = None


def reply(
    version: ModelVersion, request_id: str | None, outputs: Sequence[OutputTensor], variant: str | None = None
) -> Reply:
    """`variant` is the form that answered, where one was asked for.

    Raises InvalidRequest for a BF16 output that is not asked for in binary."""
    document: dict[str, Any] = {"model_name": version.model, "model_version": str(version.number)}
    if request_id is not None:
        document["id"] = request_id
    if variant is not None:
        document["parameters"] = {"variant": variant}
    raws: list[bytes] = []
    document["outputs"] = told = []
    for output in outputs:
        said: dict[str, Any] = {"name": output.name, "datatype": output.datatype, "shape": output.array.shape}
        if output.binary:
            raws.append(raw_bytes(output.array))
            said["parameters"] = {"binary_data_size": len(raws[-1])}
        else:
            said["data"] = json_data(output)
        told.append(said)
    header = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return Reply(b"".join([header, *raws]), len(header)) if raws else Reply(header)


def raw_bytes(array: Array) -> bytes:
    """Row-major and little-endian; strings each after their length, as 4 bytes."""
    if not array.dtype.hasobject:
        return array.tobytes()  # every platform of Lambda's is little-endian
    parts: list[bytes] = []
    for text in array.flat:
        encoded = text.encode()
        parts += (len(encoded).to_bytes(4, "little"), encoded)
    return b"".join(parts)


def json_data(output: OutputTensor) -> Any:
    """Row-major and flat; NaN and the infinities, for which JSON has no word, are strings."""
    if output.datatype == "BF16":
        reason = "outputs: BF16 has no form in JSON; ask for it with parameters.binary_data"
        raise InvalidRequest(f"{reason} (output '{output.name}')", field="outputs")
    flat = np.ascontiguousarray(output.array).reshape(-1)
    if flat.dtype.hasobject:
        return flat.tolist()
    if flat.dtype == np.float32 and (np.abs(flat) == LOST_ON_THE_WAY).any():
        flat = flat.astype(np.float64)
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        return [value if np.isfinite(value) else _not_finite(value) for value in _shortest(flat)]
    return flat


def _shortest(flat: Array) -> list[float]:
    """As Python floats with the fewest digits that still read back as the same value of the array's own type."""
    return [float(str(value)) for value in flat]


def _not_finite(value: float) -> str:
    if np.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
