"""Inference responses of the protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maas_client.calls import Answer
from maas_client.errors import InvalidResponse
from maas_client.protocol.requests import HEADER_LENGTH
from maas_client.protocol.tensors import decode, encode_json
from maas_client.reading import parse, read
from maas_client.records.inference import InferenceResponse, ModelMetadata


@dataclass(frozen=True, slots=True)
class _Output:
    name: str
    datatype: str
    shape: tuple[int, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    data: Any = None


@dataclass(frozen=True, slots=True)
class _Response:
    model_name: str
    model_version: str
    outputs: tuple[_Output, ...]
    id: str | None = None


def read_metadata(answer: Answer) -> ModelMetadata:
    """Raises InvalidResponse when it is not what the protocol says."""
    return read(ModelMetadata, parse(answer.content))


def read_json(answer: Answer) -> dict[str, Any]:
    """A response as JSON; binary outputs, if the request asked for any, become JSON values."""
    said, found, raws = _parts(answer)
    if any(raw is not None for raw in raws):
        arrays = _decoded(found, raws).outputs
        said["outputs"] = [
            one if raw is None else _spelled_out(one, arrays[one["name"]])
            for one, raw in zip(said["outputs"], raws, strict=True)
        ]
    return said


def deferred_response(content: bytes, header_length: int | None) -> InferenceResponse:
    """From the stored answer to a deferred inference. Raises InvalidResponse."""
    headers = {} if header_length is None else {HEADER_LENGTH: str(header_length)}
    return read_response(Answer(200, headers, content))


def read_response(answer: Answer) -> InferenceResponse:
    """Raises InvalidResponse when it is not what the protocol says."""
    _, found, raws = _parts(answer)
    return _decoded(found, raws)


def response_of(said: Mapping[str, Any]) -> InferenceResponse:
    """From a response's JSON. Raises InvalidResponse."""
    found = read(_Response, said)
    return _decoded(found, [None] * len(found.outputs))


def _decoded(found: _Response, raws: Sequence[memoryview | None]) -> InferenceResponse:
    """`raws` are the bytes of each output, or None where it has `data`."""
    pairs = zip(found.outputs, raws, strict=True)
    outputs = {one.name: decode(one.name, one.datatype, one.shape, one.data, raw) for one, raw in pairs}
    return InferenceResponse(found.model_name, found.model_version, outputs, found.id)


def response_json(response: InferenceResponse) -> dict[str, Any]:
    """The response in the protocol's JSON; floats in the fewest digits that round-trip."""
    said: dict[str, Any] = {"model_name": response.model_name, "model_version": response.model_version}
    if response.id is not None:
        said["id"] = response.id
    return said | {"outputs": [_json_output(name, array) for name, array in response.outputs.items()]}


def _json_output(name: str, array: Any) -> dict[str, Any]:
    output = encode_json(name, array)
    if output["datatype"] in ("FP16", "FP32"):  # 0.1, not what it is in float64: 0.10000000149011612
        output["data"] = [float(str(one)) if isinstance(two, float) else two for one, two in _both(array, output)]
    return output


def _both(array: Any, output: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    return zip(array.ravel(order="C"), output["data"], strict=True)


def _spelled_out(output: Mapping[str, Any], array: Any) -> dict[str, Any]:
    plain = {name: value for name, value in output.items() if name != "parameters"}
    return plain | {"data": _json_output(output["name"], array)["data"]}


def _parts(answer: Answer) -> tuple[dict[str, Any], _Response, list[memoryview | None]]:
    """The JSON of an answer, raw and read, and the bytes of each output or None. Raises InvalidResponse."""
    whole, length = memoryview(answer.content), _json_length(answer)
    said = parse(answer.content[:length])
    found = read(_Response, said)
    raws: list[memoryview | None] = []
    at = length
    for output in found.outputs:
        size = output.parameters.get("binary_data_size")
        if size is None:
            raws.append(None)
            continue
        if not isinstance(size, int) or size < 0:
            raise InvalidResponse(f"output '{output.name}' has a binary_data_size of {size!r}")
        raws.append(whole[at : at + size])
        at += size
    if at != len(whole):
        raise InvalidResponse(f"the answer has {len(whole)} bytes where its outputs take {at}")
    return said, found, raws


def _json_length(answer: Answer) -> int:
    """The length of the JSON: the whole answer, unless it has binary outputs."""
    text = answer.headers.get(HEADER_LENGTH)
    if text is None:
        return len(answer.content)
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= len(answer.content)):
        raise InvalidResponse(f"the answer's {HEADER_LENGTH} is {text[:20]!r}, of {len(answer.content)} bytes")
    return int(text)
