"""What the answers of the inference API mean."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maas_client.calls import Answer
from maas_client.errors import InvalidResponse
from maas_client.model_records import InferenceResponse, ModelMetadata
from maas_client.protocol.requests import HEADER_LENGTH
from maas_client.protocol.tensors import decode, encode_json


def read_metadata(answer: Answer) -> ModelMetadata:
    """Raises InvalidResponse when it is not what the protocol says."""
    try:
        return ModelMetadata.of(json.loads(answer.content))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidResponse(f"the answer is no metadata of a model ({error!r})") from error


def read_json(answer: Answer) -> dict[str, Any]:
    """A response as JSON; binary outputs, if the request asked for any, become JSON values."""
    said, raws = _parts(answer)
    if any(raw is not None for raw in raws):
        said["outputs"] = [_spelled_out(one, raw) for one, raw in zip(said["outputs"], raws, strict=True)]
    return said


def deferred_response(content: bytes, header_length: int | None) -> InferenceResponse:
    """From the stored answer to a deferred inference. Raises InvalidResponse."""
    headers = {} if header_length is None else {HEADER_LENGTH: str(header_length)}
    return read_response(Answer(200, headers, content))


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
