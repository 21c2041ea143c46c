"""The event of a commit mark in S3 (through EventBridge): the uploaded version becomes READY or FAILED."""

from typing import Any

from maas import bootstrap
from maas.artifacts import version_of_commit_mark
from maas.errors import NotFound
from maas.observability import logger
from maas.settings import Settings

deployment = bootstrap.deployment(Settings.from_env())


def lambda_handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    key = event["detail"]["object"]["key"]
    named = version_of_commit_mark(key)
    if named is None:
        logger().info("not a commit mark", extra={"key": key})
        return {"ignored": key}
    try:
        version = deployment.deploy(*named)
    except NotFound as error:  # purged in the meantime: another attempt would find no more
        logger().info("nothing to deploy", extra={"key": key, "reason": error.message})
        return {"ignored": key}
    outcome = {
        "model": version.model,
        "version": version.number,
        "status": version.status,
        "reason": version.status_reason,
    }
    logger().info("deployed", extra=outcome)
    return outcome
