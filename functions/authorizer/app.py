"""API Gateway's Lambda authorizer: payload format 2.0, simple responses."""

from typing import Any

from maas import bootstrap
from maas.event_kinds import as_mapping, is_http, kind_of
from maas.settings import Settings

authorizer = bootstrap.authorizer(Settings.from_env())


def lambda_handler(event: Any, _: Any) -> dict[str, Any]:
    if not is_http(event):
        return {"isAuthorized": False, "ignored": kind_of(event)}
    return {"isAuthorized": True, "context": authorizer.context(as_mapping(event.get("headers")))}
