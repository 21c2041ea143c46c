"""Encodes the answer to `infer`: JSON, binary or both."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

from maas.errors import AnswerTooLarge, InvalidRequest
from maas.records import ModelVersion
from maas.serving.datatypes import Array

# The only FP32 value whose shortest decimal, read as a double and then rounded, gives its neighbour; and that decimal.
ROUNDED_TWICE = np.uint32(0x15AE43FD).view(np.float32)
_ROUNDED_TWICE_TEXT = orjson.dumps(ROUNDED_TWICE, option=orjson.OPT_SERIALIZE_NUMPY)


class OutputTensor(NamedTuple):
    """An output of the answer: an array of any shape, row-major on the wire, little-endian if `binary`."""

    name: str
    datatype: str
    array: Array
    binary: bool = False


class Reply(NamedTuple):
    """`header_length` is the size in bytes of the JSON before binary tensors; None: the body is JSON alone."""

    body: bytes
    header_length: int | None = None


def reply(
    version: ModelVersion,
    request_id: str | None,
    outputs: Sequence[OutputTensor],
    variant: str | None = None,
    max_bytes: int | None = None,
) -> Reply:
    """The encoded answer. `variant` is the form of the model that ran, if the request named one.

    Raises InvalidRequest for a BF16 output that is not requested in binary; AnswerTooLarge, before it encodes, for an
    answer that certainly has more than `max_bytes`. One that has not can still turn out larger.
    """
    if max_bytes is not None:
        check_size(outputs, max_bytes)
    document: dict[str, Any] = {"model_name": version.model, "model_version": str(version.number)}
    if request_id is not None:
        document["id"] = request_id
    if variant is not None:
        document["parameters"] = {"variant": variant}
    raws: list[bytes] = []
    document["outputs"] = documents = []
    for output in outputs:
        fields: dict[str, Any] = {"name": output.name, "datatype": output.datatype, "shape": output.array.shape}
        if output.binary:
            raws.append(raw_bytes(output.array))
            fields["parameters"] = {"binary_data_size": len(raws[-1])}
        else:
            fields["data"] = _json(output)
        documents.append(fields)
    header = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return Reply(b"".join([header, *raws]), len(header)) if raws else Reply(header)


def check_size(outputs: Iterable[OutputTensor], max_bytes: int) -> None:
    """Raises AnswerTooLarge for outputs that take more bytes even if each value is as short as can be."""
    size_bytes = sum(map(_least_bytes, outputs))
    if size_bytes > max_bytes:
        raise AnswerTooLarge(f"at least {size_bytes:,} bytes", f"{max_bytes:,}")


def _least_bytes(output: OutputTensor) -> int:
    """Of strings, only their lengths or quotes: to look at each takes time, and their text is in memory anyway."""
    array = output.array
    if array.dtype.hasobject:
        return array.size * (4 if output.binary else len('"",'))
    return array.nbytes if output.binary else array.size * len("0,")


def raw_bytes(array: Array) -> bytes:
    """Row-major and little-endian. Before each string stand 4 bytes with its length."""
    if not array.dtype.hasobject:
        return array.tobytes()  # both architectures of Lambda are little-endian
    parts: list[bytes] = []
    for text in array.flat:
        encoded = text if type(text) is bytes else text.encode()
        parts += (len(encoded).to_bytes(4, "little"), encoded)
    return b"".join(parts)


def json_data(output: OutputTensor) -> Any:
    """Row-major and flat. NaN and the infinities, which JSON has not, become strings."""
    if output.datatype == "BF16":
        reason = "outputs: JSON cannot carry BF16; request it with parameters.binary_data"
        raise InvalidRequest(f"{reason} (output '{output.name}')", field="outputs")
    flat = np.ascontiguousarray(output.array).reshape(-1)
    if flat.dtype.hasobject:
        return flat.tolist()
    if flat.dtype == np.float32 and (np.abs(flat) == ROUNDED_TWICE).any():
        flat = flat.astype(np.float64)
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        return [value if np.isfinite(value) else _not_finite(value) for value in _shortest(flat)]
    return flat


def _json(output: OutputTensor) -> Any:
    """As `json_data`, but written fractions, whose text is searched for special values faster than the array is."""
    if output.array.dtype.kind != "f":
        return json_data(output)
    text = orjson.dumps(np.ascontiguousarray(output.array).reshape(-1), option=orjson.OPT_SERIALIZE_NUMPY)
    is_special = b"n" in text or (b"e" in text and _ROUNDED_TWICE_TEXT in text)  # null is written for NaN
    return json_data(output) if is_special else orjson.Fragment(text)


def _shortest(flat: Array) -> list[float]:
    """As Python floats with the fewest digits that read back as the same value of the array's type."""
    return [float(str(value)) for value in flat]


def _not_finite(value: float) -> str:
    if np.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
