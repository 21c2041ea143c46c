"""SageMaker's container contract: `/ping`, and `/invocations` in JSON or CSV.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import re
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from maas.access.caller import Caller
from maas.errors import InvalidRequest, NotAcceptable, UnsupportedMediaType
from maas.serving import compatibility
from maas.serving.dataplane import DataPlane
from maas.serving.oip import read_tensors
from maas.web import events
from maas.web.application import Who
from plane import VERSIONED, Plane, sender_of
from v1_routes import body_of, deadline_of, json_answer, predicted

_TARGET = "x-amzn-sagemaker-target-model"
_JSON, _CSV = "application/json", "text/csv"
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
# Without a header of the user's, curl sends form-urlencoded for -d and fetch sends text/plain for a string.
_READ_AS_JSON = ("", _JSON, "text/json", "text/plain", "application/x-www-form-urlencoded")

routes = APIRouter()


@routes.get("/ping")
def ping() -> dict[str, str]:
    return {"status": "Healthy"}


@routes.post("/invocations", responses=VERSIONED)
async def invocations(
    plane: Plane,
    who: Who,
    request: Request,
    model: Annotated[str | None, Query()] = None,
    version: Annotated[str | None, Query()] = None,
    target: Annotated[str | None, Header(alias=_TARGET)] = None,
) -> Response:
    """Takes JSON as `:predict` does, or CSV without a header. The model may be left out if there is only one."""
    name = model or target or _only_model(plane, who)
    who.check_infer(name)
    came = _content_type(request.headers.get("content-type", ""))
    wanted = _accepted(request.headers.get("accept", ""), came)
    body, deadline, sender = await body_of(request), deadline_of(request), sender_of(who, request)
    if came == _CSV:
        found = plane.predict(
            plane.resolve(name, version, sender),
            lambda runner: compatibility.decode_csv(body, runner),
            deadline,
            events.PAYLOAD_LIMIT_BYTES,
        )
        document: dict[str, Any] = {}
    else:
        document = compatibility.document_of(read_tensors(body))
        found = predicted(plane, plane.resolve(name, version, sender), document, deadline)
    if wanted == _CSV:
        rows = compatibility.row_count(found.inputs)
        return Response(compatibility.encode_csv(found.outputs, found.runner, rows), media_type=_CSV)
    return json_answer(document, found)


def _only_model(plane: DataPlane, who: Caller) -> str:
    """The only model that the caller may use. Raises InvalidRequest."""
    found = list(islice((model for model in plane.models() if who.may_infer(model.name)), 2))
    if len(found) != 1:
        expected = f"?model=NAME or the header {_TARGET}, unless there is exactly one model"
        raise InvalidRequest(f"model: got none, expected {expected}", field="model")
    return found[0].name


def _content_type(header: str) -> str:
    """JSON or CSV. Raises UnsupportedMediaType."""
    kind = header.partition(";")[0].strip().lower()
    if kind == _CSV:
        return _CSV
    if kind in _READ_AS_JSON or kind.endswith("+json"):
        return _JSON
    raise UnsupportedMediaType("content-type", kind, [_JSON, _CSV])


def _accepted(header: str, default: str) -> str:
    """JSON or CSV: what the client prefers, or `default` if it takes anything. Raises NotAcceptable."""
    offered = {"*/*": default, "application/*": _JSON, "text/*": _CSV, _JSON: _JSON, _CSV: _CSV}
    best, best_quality = None, 0.0
    for part in header.split(",") if header.strip() else ["*/*"]:
        kind, *parameters = (one.strip().lower() for one in part.split(";"))
        quality = next((_quality(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        if kind in offered and quality > best_quality:
            best, best_quality = offered[kind], quality
    if best is None:
        raise NotAcceptable("accept", header, [_JSON, _CSV])
    return best


def _quality(text: str) -> float:
    """A weight as RFC 9110 writes it, 0 to 1; 0 for any other text."""
    return float(text) if _QUALITY.fullmatch(text) else 0.0
