"""The inference function: serves `infer` and the tasks without a web framework, imports web_app for the others."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson

from maas import bootstrap
from maas.access.caller import INFER, Need, caller_of
from maas.aws.after_answer import AfterAnswer
from maas.errors import TooLarge
from maas.metrics.counters import FLUSH_SECONDS
from maas.serving.oip import HEADER_LENGTH
from maas.serving.oip_reply import Reply
from maas.serving.traffic import Sender
from maas.settings import Settings
from maas.telemetry.observation import concerns
from maas.web import compression, events
from maas.web.requests import Request, asgi_event, http_function

TASK = re.compile(r"/(v1/embeddings|v[12]/rerank|models/[^/]+/(embed|rerank|predict|tokenize))")
settings = Settings.from_env()
counters = bootstrap.counters(settings)
after_answer = AfterAnswer.start()
dataplane = bootstrap.dataplane(settings, sampler=bootstrap.sampler(settings, after_answer.add, counters))
after_answer.every(FLUSH_SECONDS, counters.flush)


@after_answer.follows
@partial(http_function, count=counters.count)
def lambda_handler(request: Request, context: Any) -> dict[str, Any]:
    infer = events.INFER.fullmatch(request.path)
    if not infer or request.method != "POST":
        return _task(request, context) if _is_task(request) else _web(request, context)
    caller = caller_of(request.context)
    caller.check_infer(infer[1])
    headers = request.headers
    body, sender = compression.decoded(request.body, headers.get("content-encoding")), Sender(caller.actor, headers)
    if "respond-async" in headers.get("prefer", ""):
        return _deferred(infer[1], infer[2], body, sender)
    encodings = compression.accepted(headers.get("accept-encoding"))
    max_bytes = compression.MAX_BYTES if encodings else events.PAYLOAD_LIMIT_BYTES
    deadline = events.deadline_of(context)
    return _answer(
        dataplane.infer(infer[1], infer[2], body, headers.get(HEADER_LENGTH), deadline, max_bytes, sender), encodings
    )


def _is_task(request: Request) -> bool:
    return request.method == "POST" and TASK.fullmatch(request.path) is not None


def _task(request: Request, context: Any) -> dict[str, Any]:
    """The answer of a route of tasks; errors have the shape that its clients read."""
    import task_calls

    route = task_calls.find(request.path)
    try:
        caller, headers = caller_of(request.context), request.headers
        caller.check(Need((INFER,), any_model=route.model is None), route.model and route.model.partition("@")[0])
        body = compression.decoded(request.body, headers.get("content-encoding"))
        encodings = compression.accepted(headers.get("accept-encoding"))
        max_bytes = compression.MAX_BYTES if encodings else events.PAYLOAD_LIMIT_BYTES
        deadline = events.deadline_of(context)
        sender = Sender(caller.actor, headers)
        call = task_calls.Call(dataplane, body, sender, caller.check_infer, route.model, deadline, max_bytes)
        return _answer(Reply(route.respond(call)), encodings)
    except Exception as error:
        status, document = events.error_document(error)
        return events.answer(status, orjson.dumps(route.error(status, document)), events.error_headers(error))


def _deferred(model: str, reference: str | None, body: bytes, sender: Sender) -> dict[str, Any]:
    """Answers 202; the result goes to the bucket. The version is picked now."""
    resolved, headers = dataplane.resolve(model, reference, sender), sender.headers
    concerns(resolved.version, resolved.alias)
    job = bootstrap.deferred(settings).submit(
        resolved.version, body, headers.get(HEADER_LENGTH), sender.actor, headers.get("maas-notify")
    )
    location = f"/api/v1/jobs/{job.id}"
    document = {"id": job.id, "status": job.status, "location": location}
    return events.answer(202, orjson.dumps(document), {"location": location, "preference-applied": "respond-async"})


def _answer(reply: Reply, encodings: Sequence[str]) -> dict[str, Any]:
    headers: dict[str, str] = {}
    if reply.header_length is not None:
        headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(reply.header_length)}
    try:
        if len(encodings) != 1:
            return events.answer(200, reply.body, headers, binary=bool(headers))
    except TooLarge:
        if not encodings:
            raise
    packed = compression.encoded(reply.body, encodings[0])
    return events.answer(200, packed, headers | {"content-encoding": encodings[0]}, binary=True)


def _web(request: Request, context: Any) -> dict[str, Any]:
    import web_app

    return events.carried(web_app.handler(dataplane, settings)(asgi_event(request), context))
