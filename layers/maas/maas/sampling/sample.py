"""One sampled request, with its answer: what goes through the queue to the shadow function.

As bytes it is a length, JSON, then the tensors as the protocol's binary extension has them. So every protocol is alike,
and no value is rounded on the way.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import orjson

from maas.errors import MaasError
from maas.records.rows import row_of
from maas.records.samples import Capture, Samples, Shadow
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput
from maas.serving.oip_reply import OutputTensor, raw_bytes
from maas.serving.strings import array_of, from_raw
from maas.serving.tensors import aligned

LENGTH_BYTES = 4
ID = re.compile(r"[0-9a-f]{32}")
TEXT, BINARY, LISTS = "text", "binary", "lists"  # of the elements of BYTES: str, bytes, or lists of token ids


class BrokenSample(MaasError):
    """The bytes are no sample."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`at_ms` is when it was answered, since 1970. `caller` is as in the request log: a key's id, or a digest.

    `parameters` are those of the request. `inputs` and `outputs` may lack tensors that nobody needs.
    """

    id: str
    at_ms: int
    model: str
    version: int
    alias: str
    samples: Samples
    caller: str
    request_id: str | None
    parameters: Mapping[str, Any]
    inputs: Sequence[OutputTensor]
    outputs: Sequence[OutputTensor]

    def packed(self) -> bytes:
        tensors, raws = [], []
        for kind, some in (("inputs", self.inputs), ("outputs", self.outputs)):
            for one in some:
                elements = elements_of(one.array)
                raws.append(raw_bytes(one.array if elements != LISTS else _as_text(one.array)))
                tensors.append((kind, one.name, one.datatype, one.array.shape, len(raws[-1]), elements))
        shadow, capture = self.samples.shadow, self.samples.capture
        header = orjson.dumps(
            {name: getattr(self, name) for name in _PLAIN}
            | {"shadow": shadow and row_of(shadow), "capture": capture and row_of(capture), "tensors": tensors},
            option=orjson.OPT_SERIALIZE_NUMPY,
        )
        return b"".join([len(header).to_bytes(LENGTH_BYTES), header, *raws])

    @classmethod
    def of(cls, packed: bytes) -> Self:
        """Raises BrokenSample."""
        try:
            return cls._read(packed)
        except (ValueError, KeyError, TypeError, MaasError) as error:
            raise BrokenSample(f"no sample: {error!r:.300}") from error

    @classmethod
    def _read(cls, packed: bytes) -> Self:
        view = memoryview(packed)
        end = LENGTH_BYTES + int.from_bytes(view[:LENGTH_BYTES])
        header = orjson.loads(view[LENGTH_BYTES:end])
        if not ID.fullmatch(header["id"]):
            raise ValueError("its id")
        tensors: dict[str, list[OutputTensor]] = {"inputs": [], "outputs": []}
        for kind, name, datatype, shape, size_bytes, elements in header["tensors"]:
            raw, end = view[end : end + size_bytes], end + size_bytes
            wire = RequestInput(name, datatype, tuple(shape), raw=raw)
            tensors[kind].append(OutputTensor(name, datatype, _array(wire, elements)))
        if end != len(view):
            raise ValueError(f"{len(view)} bytes, expected {end}")
        shadow, capture = header["shadow"], header["capture"]
        samples = Samples(Shadow.of(shadow) if shadow else None, Capture.of(capture) if capture else None)
        plain = {name: header[name] for name in _PLAIN}
        return cls(**plain, samples=samples, inputs=tensors["inputs"], outputs=tensors["outputs"])


_PLAIN = ("id", "at_ms", "model", "version", "alias", "caller", "request_id", "parameters")


def elements_of(array: Array) -> str | None:
    if not array.dtype.hasobject:
        return None
    kinds = set(map(type, array.flat))
    return LISTS if list in kinds else BINARY if bytes in kinds else TEXT


def _as_text(array: Array) -> Array:
    return array_of([orjson.dumps(one) for one in array.flat])


def _array(wire: RequestInput, elements: str | None) -> Array:
    assert wire.raw is not None
    if elements is None:
        dtype = DTYPES[wire.datatype]
        return aligned(np.frombuffer(wire.raw, dtype).reshape(wire.shape), dtype)
    flat = from_raw(wire, elements != TEXT)
    return (flat if elements != LISTS else array_of([orjson.loads(one) for one in flat])).reshape(wire.shape)
