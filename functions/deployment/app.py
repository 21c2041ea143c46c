"""S3 events through EventBridge: a commit mark starts a version's deployment, a drop in the inbox creates a version."""

import time
from typing import Any

from maas import bootstrap
from maas.deployment.artifacts import version_of_commit_mark
from maas.deployment.inbox import PREFIX
from maas.errors import NotFound
from maas.event_kinds import kind_of, stored_object
from maas.records import ModelVersion
from maas.settings import Settings
from maas.telemetry.observability import count, logger

settings = Settings.from_env()
deployment = bootstrap.deployment(settings)
inbox = bootstrap.inbox(settings)


def lambda_handler(event: Any, _: Any) -> dict[str, Any]:
    found = stored_object(event)
    if found is None:
        logger().info("ignored", extra={"event": kind_of(event)})
        return {"ignored": kind_of(event)}
    key: str = found["key"]
    if key.startswith(PREFIX):
        return _dropped(key)
    named = version_of_commit_mark(key)
    if named is None:
        logger().info("not a commit mark", extra={"key": key})
        return {"ignored": key}
    started = time.monotonic()
    try:
        version = deployment.deploy(*named)
    except NotFound as error:  # purged meanwhile: a retry would not find it either
        logger().info("nothing to deploy", extra={"key": key, "reason": error.message})
        return {"ignored": key}
    if not version.is_open:
        count(f"Deployments{version.status.capitalize()}")
        count("DeploymentTime", (time.monotonic() - started) * 1000)
    return _outcome(version)


def _dropped(key: str) -> dict[str, Any]:
    version = inbox.drop(key)
    if version is None:
        return {"ignored": key}
    return _outcome(version)


def _outcome(version: ModelVersion) -> dict[str, Any]:
    outcome = {
        "model": version.model,
        "version": version.number,
        "status": version.status,
        "reason": version.status_reason,
    }
    logger().info("version", extra=outcome)
    return outcome
