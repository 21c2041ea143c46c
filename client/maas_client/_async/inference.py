"""Inference: which requests to send, and when to get the signature first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maas_client._async import submission
from maas_client._async.transport import AsyncTransport
from maas_client.calls import Body, Call, api_path, fields_of, inference_path
from maas_client.errors import InvalidInput, InvalidRequest, InvalidResponse, TooLarge
from maas_client.files import LocalFile
from maas_client.payloads import LATER
from maas_client.protocol import requests, responses
from maas_client.protocol.requests import Inputs, Signature, Wanted
from maas_client.reading import field_of, read
from maas_client.records.inference import InferenceResponse, ModelMetadata
from maas_client.records.jobs import Job

INLINE_BYTES = 4_000_000  # larger bodies are uploaded: Lambda takes 6 MB, in base64
Signatures = dict[str, Signature]  # by the path of the version


async def infer(transport: AsyncTransport, inputs: Inputs, wanted: Wanted, signatures: Signatures) -> InferenceResponse:
    """Sends arrays by name unchanged while the signature is unknown, and fits them to it if they are refused.

    Gets the signature for other `inputs`, and after a refusal; keeps it in `signatures`.
    """
    key = inference_path(wanted.model, wanted.version)
    known = signatures.get(key)
    refusal: InvalidInput | InvalidRequest | None = None
    sent: Any = inputs
    if known is not None or requests.say_all(inputs):
        try:
            sent = inputs if known is None else requests.complete(inputs, known)
            return await _infer(transport, sent, wanted)
        except (InvalidInput, InvalidRequest) as error:  # perhaps an alias moved to a version with other inputs
            if isinstance(error, InvalidRequest) and not (error.field or "").startswith("inputs"):
                raise
            refusal = error
    found = (await metadata(transport, wanted.model, wanted.version, wanted.deadline)).inputs
    signatures[key] = found
    if isinstance(refusal, InvalidRequest):
        refusal = requests.advised(refusal, sent, found)
    if refusal is not None and found == known:
        raise refusal
    try:
        fitted = requests.complete(inputs, found)
    except InvalidInput as error:
        raise (refusal if isinstance(refusal, InvalidRequest) else error) from None
    if refusal is not None and requests.are_same(fitted, sent):
        raise refusal
    try:
        return await _infer(transport, fitted, wanted)
    except InvalidRequest as error:
        raise requests.advised(error, fitted, found) from None


async def _infer(transport: AsyncTransport, inputs: Any, wanted: Wanted) -> InferenceResponse:
    try:
        return responses.read_response(await transport.send(requests.infer_call(inputs, wanted)))
    except TooLarge as error:
        raise error if LATER in error.message else TooLarge(413, f"{error.message}; {LATER}", error.field) from error


async def metadata(
    transport: AsyncTransport, model: str, version: str | int | None, deadline: float | None
) -> ModelMetadata:
    return responses.read_metadata(await transport.send(requests.metadata_call(model, version, deadline)))


async def infer_json(transport: AsyncTransport, request: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    return responses.read_json(await transport.send(requests.json_call(request, wanted)))


async def infer_later(transport: AsyncTransport, inputs: Inputs, wanted: Wanted, notify: str | None) -> Job:
    """Sends the request with the call, or uploads it if it is too large."""
    found = await metadata(transport, wanted.model, wanted.version, wanted.deadline)
    body = requests.Request(requests.complete(inputs, found.inputs), wanted).body(None)
    if len(body.content) <= INLINE_BYTES:
        return await _submit(transport, wanted, body, notify)
    file = LocalFile(Path("request"), "request", len(body.content), body.content)
    return await submission.upload(transport, requests.job_of(body, wanted, notify), file, None, wanted.deadline)


async def _submit(transport: AsyncTransport, wanted: Wanted, body: Body, notify: str | None) -> Job:
    """Never retried: each request creates a job."""
    headers = {**wanted.headers, "prefer": "respond-async"} | ({"maas-notify": notify} if notify else {})
    path = inference_path(wanted.model, wanted.version, "infer")
    answer = await transport.send(Call("POST", path, body=lambda _: body, headers=headers, deadline=wanted.deadline))
    if answer.status != 202:
        raise InvalidResponse(f"HTTP {answer.status} to a deferred request: the server does not defer inferences")
    job_id = field_of(fields_of(answer, transport.url), "id", str)
    return read(Job, await transport.call("GET", api_path("jobs", job_id)))
