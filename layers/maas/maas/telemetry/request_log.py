"""One log line for each HTTP request, with its metrics in CloudWatch's Embedded Metric Format.

Not written with Powertools, whose import takes as long as those of numpy and onnxruntime together (docs/adr/0011).
Names and units: docs/operations.md. The caller appears as a key's id or as a digest, since token subjects and ARNs may
contain names of people. Headers, query and body are left out.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import functools
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from maas.event_kinds import as_mapping
from maas.telemetry.observation import CURRENT, NS_PER_MS, Observation

NAMESPACE = "MaaS"
DIMENSIONS = ("service", "Model", "Version")
UNITS: Mapping[str, str] = {
    "Latency": "Milliseconds",
    "RunTime": "Milliseconds",
    "LoadTime": "Milliseconds",
    "ColdLoads": "Count",
    "Refused": "Count",
    "Errors": "Count",
}
PATH_LIMIT = 200  # characters of the path in the line
NS_PER_SECOND = 1_000_000_000
Handler = Callable[[Any, Any], dict[str, Any]]


def observed(handler: Handler, count: Callable[[Observation], None] | None = None) -> Handler:
    """The handler, with a log line for each answer. An exception passes through and is logged with status 500.

    An answer `{"ignored": KIND}`, to an event that is no HTTP request, is a line without status. `count` gets the
    observation of each inference.
    """
    is_first, of_stack = True, service()

    @functools.wraps(handler)
    def wrapped(event: Any, context: Any) -> dict[str, Any]:
        nonlocal is_first
        started_ns = time.perf_counter_ns()
        gateway = as_mapping(as_mapping(event).get("requestContext"))
        observation = Observation(_ids(gateway, context))
        token = CURRENT.set(observation)
        answer: dict[str, Any] = {"statusCode": 500}
        try:
            answer = handler(event, context)
            return answer
        finally:
            CURRENT.reset(token)
            elapsed_ns = time.perf_counter_ns() - started_ns
            now_ns = time.time_ns()
            line = _line(observation.ids, now_ns)
            line |= {"service": of_stack, "cold_start": is_first, "duration_ms": _ms(elapsed_ns)}
            is_first = False
            if "statusCode" in answer:
                observation.status, observation.now_ns, observation.elapsed_ns = (
                    answer["statusCode"],
                    now_ns,
                    elapsed_ns,
                )
                _add_request(line, event, gateway, answer, observation)
                observation.caller = line["caller"]
                _add_inference(line, observation)
                if count is not None and observation.stage is not None:
                    count(observation)
            else:
                line |= {"message": "ignored", "event": answer["ignored"]}
            _write(line)

    return wrapped


def service() -> str:
    """The stack's name, the `service` of logs and metrics. The variable is Powertools' own."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME", "maas")


def _ids(gateway: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """API Gateway's request id, which is also in its access log and response, and Lambda's."""
    return {
        "request_id": gateway.get("requestId"),
        "function_request_id": getattr(context, "aws_request_id", None),
    }


def _line(ids: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
    seconds, ns = divmod(now_ns, NS_PER_SECOND)
    return {
        "level": "INFO",
        "message": "request",
        "timestamp": f"{_date_and_time(seconds)}.{ns // NS_PER_MS:03}+00:00",
        **ids,
    }


@functools.lru_cache(1)
def _date_and_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _add_request(
    line: dict[str, Any],
    event: Mapping[str, Any],
    gateway: Mapping[str, Any],
    answer: Mapping[str, Any],
    observation: Observation,
) -> None:
    path = event.get("rawPath") or event.get("path") or ""
    line["caller"] = _caller(gateway)
    line["method"] = as_mapping(gateway.get("http")).get("method") or event.get("httpMethod")
    line["path"] = _harmless(path[:PATH_LIMIT]) if isinstance(path, str) else None
    line["status"] = observation.status
    line["bytes_in"] = observation.bytes_in = _size(event)
    line["bytes_out"] = observation.bytes_out = _size(answer)


def _add_inference(line: dict[str, Any], observation: Observation) -> None:
    """Model and metrics, only for versions that exist: callers must not add dimension values, which cost money."""
    version, stage, status = observation.version, observation.stage, observation.status
    if version is None:
        return
    line["Model"], line["Version"], line["alias"] = version.model, str(version.number), observation.alias
    if stage is None:
        return
    line["cold"] = stage.cold
    for name, ns in stage.ns.items():
        line[f"{name}_ms"] = _ms(ns)
    metrics: dict[str, Any] = {
        "Latency": line["duration_ms"],
        "ColdLoads": int(stage.cold),
        "Refused": int(400 <= status < 500),
        "Errors": int(status >= 500),
    }
    if "compute_infer" in stage.ns:
        metrics["RunTime"] = line["compute_infer_ms"]
    if stage.cold and "load" in stage.ns:
        metrics["LoadTime"] = line["load_ms"]
    line |= metrics
    line["_aws"] = {"Timestamp": observation.now_ns // NS_PER_MS, "CloudWatchMetrics": [_directive(tuple(metrics))]}


@functools.cache  # there are four combinations
def _directive(names: tuple[str, ...]) -> dict[str, Any]:
    definitions = [{"Name": name, "Unit": UNITS[name]} for name in names]
    return {"Namespace": NAMESPACE, "Dimensions": [DIMENSIONS], "Metrics": definitions}


def _caller(gateway: Mapping[str, Any]) -> str:
    authorizer = as_mapping(gateway.get("authorizer"))
    asked = as_mapping(authorizer.get("lambda"))
    key = asked.get("actor") or (f"key:{asked['key']}" if "key" in asked else None)
    if key and str(key).startswith("key:"):
        return str(key)
    claims = as_mapping(as_mapping(authorizer.get("jwt")).get("claims"))
    arn = as_mapping(authorizer.get("iam") or gateway.get("identity")).get("userArn")
    actor = key or claims.get("sub") or claims.get("client_id") or arn
    return _digest(str(actor)) if actor else "anonymous"


def _harmless(text: str) -> str:
    """The text with escapes for what acts on a terminal or ends a line there: JSON escapes only some of it."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


@functools.lru_cache(1024)
def _digest(actor: str) -> str:
    return f"sha256:{hashlib.sha256(actor.encode(errors='replace')).hexdigest()[:16]}"


def _size(message: Mapping[str, Any]) -> int:
    """Bytes of a body without base64; the number of characters if it is text."""
    body = message.get("body")
    if not isinstance(body, str):
        return 0
    return len(body) * 3 // 4 - body[-2:].count("=") if message.get("isBase64Encoded") else len(body)


def _ms(ns: int) -> float:
    """Rounded to microseconds; faster than `round`."""
    return (ns + 500) // 1000 / 1000


def _write(line: Mapping[str, Any]) -> None:
    try:
        text = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE).decode()
    except TypeError:  # a value of an event that is no valid text, or of another type
        text = json.dumps(line, default=str) + "\n"
    sys.stdout.write(text)
    sys.stdout.flush()
