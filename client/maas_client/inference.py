"""Inference without I/O: what is asked of the server for a prediction, and what its answers mean.

A `Flow` yields calls and is sent their answers; MaasClient and AsyncMaasClient only carry these to and fro.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeGuard

from maas_client.calls import Answer, Body, Call, Flow, inference_path, json_body
from maas_client.errors import InvalidInput, InvalidRequest, InvalidResponse
from maas_client.fitting import fit, is_tensor, only
from maas_client.model_records import InferenceResponse, MetadataTensor, ModelMetadata
from maas_client.tensors import Tensor, decode, encode_binary, encode_json

HEADER_LENGTH = "inference-header-content-length"
US_PER_SECOND = 1_000_000
LONGEST_SECONDS = 1e9  # what the server takes for a timeout has an end

Signature = tuple[MetadataTensor, ...]
Values = Tensor | Sequence[Any] | str | bytes | float | int | bool
Inputs = Mapping[str, Values] | Values


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which model is asked, in which form, for what, and until when (`deadline` is of time.monotonic)."""

    model: str
    version: str | int | None
    outputs: Sequence[str] | None = None
    request_id: str | None = None
    binary: bool = True
    deadline: float | None = None
    variant: str | None = None


def predict(inputs: Inputs, wanted: Wanted, signatures: dict[tuple[str, str], Signature]) -> Flow[InferenceResponse]:
    """Asks for the model's signature only where `inputs` leave something open, and remembers it in `signatures`."""
    if _say_all(inputs):
        return (yield from _infer(inputs, wanted))
    key = (wanted.model, str(wanted.version))
    known, refusal = signatures.get(key), None
    if known is not None:
        try:
            return (yield from _infer(_complete(inputs, known), wanted))
        except (InvalidInput, InvalidRequest) as error:  # an alias may have moved to a version with other inputs
            refusal = error
    found = (yield from metadata(wanted.model, wanted.version, wanted.deadline)).inputs
    if refusal is not None and found == known:
        raise refusal
    signatures[key] = found
    return (yield from _infer(_complete(inputs, found), wanted))


def request_body(inputs: Inputs, wanted: Wanted) -> Flow[Body]:
    """What `predict` would send, for an answer later. Asks for the signature where `inputs` leave something open."""
    if not _say_all(inputs):
        found = yield from metadata(wanted.model, wanted.version, wanted.deadline)
        inputs = _complete(inputs, found.inputs)
    return _Request(inputs, wanted).body(None)


def metadata(model: str, version: str | int | None, deadline: float | None) -> Flow[ModelMetadata]:
    answer = yield Call("GET", inference_path(model, version), safe=True, deadline=deadline)
    try:
        return ModelMetadata.of(json.loads(answer.content))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidResponse(f"the metadata of '{model}' are not what the protocol says ({error!r})") from error


def infer_json(
    model: str, request: Mapping[str, Any], version: str | int | None, deadline: float | None
) -> Flow[dict[str, Any]]:
    """Binary outputs, if the request asks for any, are made into JSON's values in the answer."""

    def body(left_seconds: float | None) -> Body:
        return json_body(_timed(request, left_seconds), bare=True)

    path = inference_path(model, version, "infer")
    answer = yield Call("POST", path, body=body, safe=True, deadline=deadline)
    said, raws = _parts(answer)
    if any(raw is not None for raw in raws):
        said["outputs"] = [_spelled_out(one, raw) for one, raw in zip(said["outputs"], raws, strict=True)]
    return said


def _infer(inputs: Mapping[str, Tensor], wanted: Wanted) -> Flow[InferenceResponse]:
    path = inference_path(wanted.model, wanted.version, "infer")
    body = _Request(inputs, wanted).body
    return read_response((yield Call("POST", path, body=body, safe=True, deadline=wanted.deadline)))


def _say_all(inputs: Inputs) -> TypeGuard[Mapping[str, Tensor]]:
    return isinstance(inputs, Mapping) and all(map(is_tensor, inputs.values()))


def _complete(inputs: Inputs, signature: Signature) -> dict[str, Tensor]:
    """Inputs by name: the only one by itself, lists and numbers in the datatype and rank that the signature says."""
    given = inputs if isinstance(inputs, Mapping) else {only(signature).name: inputs}
    by_name = {tensor.name: tensor for tensor in signature}
    unknown = ", ".join(name for name in given if name not in by_name)
    if unknown:
        raise InvalidInput(f"the model has no input {unknown}; it takes {', '.join(by_name)}")
    return {name: value if is_tensor(value) else fit(value, by_name[name]) for name, value in given.items()}


class _Request:
    """Tensors are encoded once; the JSON before them is written for each attempt, as the time left is in it."""

    def __init__(self, inputs: Mapping[str, Tensor], wanted: Wanted) -> None:
        self._binary = wanted.binary
        self._raw: list[memoryview | bytes] = []
        self._json: dict[str, Any] = {} if wanted.request_id is None else {"id": wanted.request_id}
        parameters: dict[str, Any] = {} if wanted.variant is None else {"variant": wanted.variant}
        if wanted.binary:
            encoded = [encode_binary(name, tensor) for name, tensor in inputs.items()]
            self._json["inputs"] = [said for said, _ in encoded]
            self._raw = [raw for _, raw in encoded]
            parameters["binary_data_output"] = True
        else:
            self._json["inputs"] = [encode_json(name, tensor) for name, tensor in inputs.items()]
        if parameters:
            self._json["parameters"] = parameters
        if wanted.outputs is not None:
            self._json["outputs"] = [{"name": name} for name in wanted.outputs]

    def body(self, left_seconds: float | None) -> Body:
        request = _timed(self._json, left_seconds)
        if not self._binary:
            return json_body(request)
        head = json_body(request).content
        headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(head))}
        return Body(b"".join([head, *self._raw]), headers)


def _timed(request: Mapping[str, Any], left_seconds: float | None) -> Mapping[str, Any]:
    """The request with a `timeout` of what is left, unless it has one, so that the server stops when nobody waits."""
    if left_seconds is None:
        return request
    timeout_us = ceil(min(left_seconds, LONGEST_SECONDS) * US_PER_SECOND)
    return {**request, "parameters": {"timeout": timeout_us, **(request.get("parameters") or {})}}


def read_response(answer: Answer) -> InferenceResponse:
    """Raises InvalidResponse when it is not what the protocol says."""
    said, raws = _parts(answer)
    return response_of(said, raws)


def response_of(said: Mapping[str, Any], raws: Sequence[memoryview | None] | None = None) -> InferenceResponse:
    """From a response's JSON, and the bytes of each output that has some. Raises InvalidResponse."""
    try:
        pairs = zip(said["outputs"], raws or [None] * len(said["outputs"]), strict=True)
        outputs = {output["name"]: decode(output, raw) for output, raw in pairs}
        return InferenceResponse(said["model_name"], str(said["model_version"]), outputs, said.get("id"))
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidResponse(f"the answer is no inference response ({error!r})") from error


def response_json(response: InferenceResponse) -> dict[str, Any]:
    """The response as the protocol writes it in JSON; floats in the fewest digits that give them back."""
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


def _spelled_out(output: Mapping[str, Any], raw: memoryview | None) -> dict[str, Any]:
    if raw is None:
        return dict(output)
    plain = {name: value for name, value in output.items() if name != "parameters"}
    return plain | {"data": _json_output(output["name"], decode(output, raw))["data"]}


def _parts(answer: Answer) -> tuple[dict[str, Any], list[memoryview | None]]:
    """The JSON of an answer, and for each output its bytes or None."""
    whole = memoryview(answer.content)
    raws: list[memoryview | None] = []
    try:
        length = int(answer.headers.get(HEADER_LENGTH, len(whole)))
        said = json.loads(bytes(whole[:length]))
        at = length
        for output in said["outputs"]:
            size = (output.get("parameters") or {}).get("binary_data_size")
            raws.append(None if size is None else whole[at : at + size])
            at += size or 0
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidResponse(f"the answer is no inference response ({error!r})") from error
    if at != len(whole):
        raise InvalidResponse(f"the answer has {len(whole)} bytes where its outputs take {at}")
    return said, raws
