"""API Gateway's Lambda authorizer: payload format 2.0, simple responses."""

from typing import Any

from maas import bootstrap
from maas.settings import Settings

authorizer = bootstrap.authorizer(Settings.from_env())


def lambda_handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    return {"isAuthorized": True, "context": authorizer.context(event.get("headers") or {})}
