"""Inference requests of the protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeGuard

import numpy as np

from maas_client.arguments import by_name, texts
from maas_client.calls import Body, Call, inference_path, json_body
from maas_client.errors import InvalidInput, InvalidRequest
from maas_client.payloads import carried
from maas_client.protocol.fitting import by_input, fit, holds_objects, is_tensor, widened
from maas_client.protocol.tensors import DTYPES, Tensor, encode_binary, encode_json
from maas_client.records.inference import MetadataTensor

HEADER_LENGTH = "inference-header-content-length"
US_PER_SECOND = 1_000_000
LONGEST_SECONDS = 1e9  # the server's limit for a timeout

Signature = tuple[MetadataTensor, ...]
Values = Tensor | Sequence[Any] | str | bytes | float | int | bool
Inputs = Mapping[str, Values] | Values


@dataclass(frozen=True, slots=True)
class Wanted:
    """Model, version, variant and outputs of a run; `deadline` is of time.monotonic.

    `parameters` are the request's own, `headers` go beside it; with `classes`, outputs are that many of their classes,
    the best first. Raises InvalidInput for arguments of other types.
    """

    model: str
    version: str | int | None
    outputs: Sequence[str] | None = None
    request_id: str | None = None
    binary: bool = True
    deadline: float | None = None
    variant: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    classes: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_name("parameters", self.parameters)
        by_name("headers", self.headers)
        if self.outputs is not None:
            texts("outputs", self.outputs)


def say_all(inputs: Inputs) -> TypeGuard[Mapping[str, Tensor]]:
    return isinstance(inputs, Mapping) and all(map(is_tensor, inputs.values()))


def complete(inputs: Inputs, signature: Signature) -> dict[str, Tensor]:
    """Inputs by name, fitted to the signature: lists always, arrays only without loss."""
    given = by_input(inputs, signature)
    signed = {tensor.name: tensor for tensor in signature}
    unknown = ", ".join(str(name) for name in given if name not in signed)
    if unknown:
        raise InvalidInput(f"the model has no input {unknown}; it takes {', '.join(signed)}")
    return {
        name: widened(value, signed[name])
        if is_tensor(value) and not holds_objects(value)
        else fit(value, signed[name])
        for name, value in given.items()
    }


def are_same(one: Mapping[str, Tensor], other: Inputs) -> bool:
    """Whether fitting changed neither dtype nor shape."""
    return isinstance(other, Mapping) and all(
        isinstance(value, np.ndarray)
        and isinstance(array := other.get(name), np.ndarray)
        and (value.dtype, value.shape) == (array.dtype, array.shape)
        for name, value in one.items()
    )


def advised(refusal: InvalidRequest, sent: Mapping[str, Tensor], signature: Signature) -> InvalidRequest:
    """The refusal of an array of wider floats with how to round them, which is never done to an array unasked."""
    for tensor in signature:
        given, dtype = sent.get(tensor.name), DTYPES.get(tensor.datatype)
        is_refused = refusal.field == f"inputs[{tensor.name}].datatype"
        if is_refused and isinstance(given, np.ndarray) and given.dtype.kind == "f" and dtype and dtype.kind == "f":
            how = f"to round its values, send array.astype(numpy.{dtype.name})"
            return type(refusal)(refusal.status, f"{refusal.message}; {how}", refusal.field)
    return refusal


class Request:
    """Encodes tensors once, and the JSON before them for each attempt, since it holds the time left."""

    def __init__(self, inputs: Mapping[str, Tensor], wanted: Wanted) -> None:
        self._binary = wanted.binary
        self._raw: list[memoryview | bytes] = []
        self._json: dict[str, Any] = {} if wanted.request_id is None else {"id": wanted.request_id}
        parameters = dict(wanted.parameters) | ({} if wanted.variant is None else {"variant": wanted.variant})
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
            more = {} if wanted.classes is None else {"parameters": {"classification": wanted.classes}}
            self._json["outputs"] = [{"name": name, **more} for name in wanted.outputs]

    def body(self, left_seconds: float | None) -> Body:
        request = _timed(self._json, left_seconds)
        if not self._binary:
            return json_body(request)
        head = json_body(request).content
        headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(head))}
        return Body(b"".join([head, *self._raw]), headers)


def _timed(request: Mapping[str, Any], left_seconds: float | None) -> Mapping[str, Any]:
    """The request with a `timeout` of the time left, unless it has one: the server stops when the client does."""
    if left_seconds is None:
        return request
    timeout_us = ceil(min(left_seconds, LONGEST_SECONDS) * US_PER_SECOND)
    return {**request, "parameters": {"timeout": timeout_us, **(request.get("parameters") or {})}}


def infer_call(inputs: Mapping[str, Tensor], wanted: Wanted) -> Call:
    path = inference_path(wanted.model, wanted.version, "infer")
    request = Request(inputs, wanted)
    return Call(
        "POST",
        path,
        body=lambda left: carried(request.body(left)),
        headers=wanted.headers,
        safe=True,
        deadline=wanted.deadline,
    )


def json_call(request: Mapping[str, Any], wanted: Wanted) -> Call:
    def body(left_seconds: float | None) -> Body:
        return carried(json_body(_timed(request, left_seconds), bare=True))

    by_name("request", request)
    path = inference_path(wanted.model, wanted.version, "infer")
    return Call("POST", path, body=body, headers=wanted.headers, safe=True, deadline=wanted.deadline)


def metadata_call(model: str, version: str | int | None, deadline: float | None) -> Call:
    return Call("GET", inference_path(model, version), safe=True, deadline=deadline)


def job_of(body: Body, wanted: Wanted, notify: str | None) -> dict[str, Any]:
    """The body that creates a job for an uploaded request."""
    job: dict[str, Any] = {"model": wanted.model, "kind": "infer"}
    length = body.headers.get(HEADER_LENGTH)
    if wanted.version is not None:
        job["version"] = str(wanted.version)
    if length is not None:
        job["header_length"] = int(length)
    if notify is not None:
        job["notify"] = notify
    return job
