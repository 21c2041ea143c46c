"""HTTP /api/v1: models, versions, aliases, rollouts, jobs, keys. Each route parses, makes one call and answers.

The console's files are beside it, at /console.
"""

from typing import Any

from mangum import Mangum

import alias_routes
import caller_routes
import capture_routes
import job_routes
import key_routes
import metrics_routes
import model_routes
import rollout_routes
import version_routes
from console_files import console_file, is_console
from etags import precondition_failed
from maas.access.caller import caller_of
from maas.errors import AnswerTooLarge, PreconditionFailed
from maas.web import compression
from maas.web.application import create_app
from maas.web.events import carried
from maas.web.requests import Request, asgi_event, http_function
from objects import settings
from scopes import NEEDS

PREFIX = "/api/v1"
MAX_BODY_BYTES = 6 * 1024 * 1024  # unpacked; more than Lambda passes on otherwise

app = create_app(
    "MaaS management",
    "Models, versions, aliases, rollouts, batch jobs and API keys.",
    PREFIX,
    NEEDS,
    open_documents=settings.opens_documents,
)
app.add_exception_handler(PreconditionFailed, precondition_failed)
for routes in (
    model_routes,
    version_routes,
    alias_routes,
    rollout_routes,
    metrics_routes,
    capture_routes,
    job_routes,
    key_routes,
    caller_routes,
):
    app.include_router(routes.router, prefix=PREFIX)

_adapter = Mangum(app, lifespan="off")


@http_function
def lambda_handler(request: Request, context: Any) -> dict[str, Any]:
    if is_console(request.path):
        return console_file(request, settings)
    if request.body:
        request = _json(request)
    return carried(_adapter(asgi_event(request), context), AnswerTooLarge.LIST)


def _json(request: Request) -> Request:
    """The request with its body unpacked, and declared as JSON, which all bodies are: curl declares a form.

    Raises what `caller_of` raises, InvalidRequest, TooLarge.
    """
    caller_of(request.context)  # first of all
    body = compression.decoded(request.body, request.headers.get("content-encoding"), MAX_BODY_BYTES)
    return request._replace(body=body, headers={**request.headers, "content-type": "application/json"})
