"""Inference: what to ask the server, and when to ask for the model's signature first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maas_client._async import submission
from maas_client._async.transport import AsyncTransport
from maas_client.calls import Body, Call, api_path, fields_of, inference_path
from maas_client.errors import InvalidInput, InvalidRequest, InvalidResponse
from maas_client.files import LocalFile
from maas_client.inference_records import InferenceResponse, ModelMetadata
from maas_client.job_records import Job
from maas_client.protocol import requests, responses
from maas_client.protocol.requests import Inputs, Signature, Wanted
from maas_client.reading import field_of, read

INLINE_BYTES = 4_000_000  # of a body that goes with the call: Lambda takes 6 MB, of base64
Signatures = dict[tuple[str, str], Signature]


async def infer(transport: AsyncTransport, inputs: Inputs, wanted: Wanted, signatures: Signatures) -> InferenceResponse:
    """Asks for the model's signature only where `inputs` leave something open, and remembers it in `signatures`."""
    if requests.say_all(inputs):
        return await _infer(transport, inputs, wanted)
    key = (wanted.model, str(wanted.version))
    known, refusal = signatures.get(key), None
    if known is not None:
        try:
            return await _infer(transport, requests.complete(inputs, known), wanted)
        except (InvalidInput, InvalidRequest) as error:  # an alias may have moved to a version with other inputs
            refusal = error
    found = (await metadata(transport, wanted.model, wanted.version, wanted.deadline)).inputs
    if refusal is not None and found == known:
        raise refusal
    signatures[key] = found
    return await _infer(transport, requests.complete(inputs, found), wanted)


async def _infer(transport: AsyncTransport, inputs: Mapping[str, Any], wanted: Wanted) -> InferenceResponse:
    return responses.read_response(await transport.send(requests.infer_call(inputs, wanted)))


async def metadata(
    transport: AsyncTransport, model: str, version: str | int | None, deadline: float | None
) -> ModelMetadata:
    return responses.read_metadata(await transport.send(requests.metadata_call(model, version, deadline)))


async def infer_json(
    transport: AsyncTransport,
    model: str,
    request: Mapping[str, Any],
    version: str | int | None,
    deadline: float | None,
) -> dict[str, Any]:
    return responses.read_json(await transport.send(requests.json_call(model, request, version, deadline)))


async def infer_later(transport: AsyncTransport, inputs: Inputs, wanted: Wanted, notify: str | None) -> Job:
    """The request goes with the call, or is uploaded where it is too large for that."""
    if not requests.say_all(inputs):
        found = await metadata(transport, wanted.model, wanted.version, wanted.deadline)
        inputs = requests.complete(inputs, found.inputs)
    body = requests.Request(inputs, wanted).body(None)
    if len(body.content) <= INLINE_BYTES:
        return await _submit(transport, wanted, body, notify)
    file = LocalFile(Path("request"), "request", len(body.content), body.content)
    return await submission.upload(transport, requests.job_of(body, wanted, notify), file)


async def _submit(transport: AsyncTransport, wanted: Wanted, body: Body, notify: str | None) -> Job:
    """Not safe to send twice: each would be a job of its own."""
    headers = {"prefer": "respond-async"} | ({"maas-notify": notify} if notify else {})
    path = inference_path(wanted.model, wanted.version, "infer")
    answer = await transport.send(Call("POST", path, body=lambda _: body, headers=headers))
    if answer.status != 202:
        raise InvalidResponse(f"HTTP {answer.status} to a deferred request: the server does not defer inferences")
    job_id = field_of(fields_of(answer, transport.url), "id", str)
    return read(Job, await transport.call("GET", api_path("jobs", job_id)))
