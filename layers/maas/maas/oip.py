"""The Open Inference Protocol V2 on the wire: what a body of `infer` says, and what is answered.

Plain dataclasses and orjson, no pydantic: this is the hot route. Contract: https://github.com/kserve/open-inference-protocol
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import orjson

from maas.errors import InvalidRequest
from maas.records import MetadataTensor, ModelVersion

T = TypeVar("T")

PLATFORM = "onnx_onnxv1"
_JSON = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True)
class RequestInput:
    name: str
    datatype: str
    shape: tuple[int, ...]
    data: list[Any]


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """`outputs` are the names asked for; None means all."""

    inputs: tuple[RequestInput, ...]
    outputs: tuple[str, ...] | None = None
    id: str | None = None


def parse_request(body: bytes) -> InferenceRequest:
    """Raises InvalidRequest, naming the field."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"body: not JSON ({error})", field="body") from None
    document = _typed(document, dict, "body")
    inputs = _typed(document.get("inputs"), list, "inputs")
    outputs = document.get("outputs")
    identity = document.get("id")
    return InferenceRequest(
        tuple(_input(one, f"inputs[{index}]") for index, one in enumerate(inputs)),
        _output_names(_typed(outputs, list, "outputs")) if outputs else None,
        None if identity is None else _typed(identity, str, "id"),
    )


def _input(document: object, field: str) -> RequestInput:
    fields = _typed(document, dict, field)
    shape = _typed(fields.get("shape"), list, f"{field}.shape")
    for dimension in shape:
        if type(dimension) is not int or not 0 <= dimension < 1 << 63:
            raise _wrong(f"{field}.shape", dimension, "whole numbers of at least 0")
    return RequestInput(
        _typed(fields.get("name"), str, f"{field}.name"),
        _typed(fields.get("datatype"), str, f"{field}.datatype"),
        tuple(shape),
        _typed(fields.get("data"), list, f"{field}.data"),
    )


def _output_names(documents: list[object]) -> tuple[str, ...]:
    names = tuple(
        _typed(_typed(one, dict, f"outputs[{index}]").get("name"), str, f"outputs[{index}].name")
        for index, one in enumerate(documents)
    )
    if len(set(names)) != len(names):
        raise _wrong("outputs", list(names), "each output once")
    return names


def _typed(value: object, kind: type[T], field: str) -> T:
    if type(value) is not kind:
        raise _wrong(field, _JSON.get(type(value), "nothing"), _JSON[kind])
    return value


def _wrong(field: str, came: object, expected: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: got {came!s:.80}, expected {expected}", field=field)


def response(
    version: ModelVersion, request_id: str | None, outputs: Sequence[tuple[str, str, np.ndarray[Any, Any]]]
) -> bytes:
    """The JSON body of an inference response; outputs are (name, datatype, array of any shape), row-major."""
    document: dict[str, Any] = {"model_name": version.model, "model_version": str(version.number)}
    if request_id is not None:
        document["id"] = request_id
    document["outputs"] = [
        {
            "name": name,
            "datatype": datatype,
            "shape": array.shape,
            "data": array.reshape(-1).tolist() if array.dtype.hasobject else np.ascontiguousarray(array).reshape(-1),
        }
        for name, datatype, array in outputs
    ]
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def server_metadata(version: str) -> dict[str, Any]:
    return {"name": "maas", "version": version, "extensions": []}


def model_metadata(version: ModelVersion, versions: Sequence[int]) -> dict[str, Any]:
    return {
        "name": version.model,
        "versions": [str(number) for number in versions],
        "platform": PLATFORM,
        "inputs": [_tensor(one) for one in version.inputs or ()],
        "outputs": [_tensor(one) for one in version.outputs or ()],
    }


def _tensor(tensor: MetadataTensor) -> Mapping[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
