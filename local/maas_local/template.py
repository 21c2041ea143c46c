"""Reads from template.yaml what the local stack needs, as plain records."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from maas_client.errors import MaasError
from maas_local.parameters import check
from maas_local.resources import Resources

# Properties passed to CreateTable; moto or DynamoDB Local do not take the others.
_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
)


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    folder: Path
    handler: str
    environment: dict[str, str]
    timeout_seconds: float
    memory_mb: int
    attempts: int  # to handle an asynchronous event
    on_failure: str | None  # the queue that receives dropped events


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A function that authorizes requests. Its answers are cached by the values of all `headers`."""

    function: str
    headers: tuple[str, ...]
    remembered_seconds: float


@dataclass(frozen=True, slots=True)
class Route:
    """`path` as API Gateway writes it: `/v2/{proxy+}`. `method` may be ANY."""

    method: str
    path: str
    function: str
    authorizer: Authorizer | None = None


@dataclass(frozen=True, slots=True)
class EventRule:
    name: str
    pattern: dict[str, Any]
    function: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Calls a function every so many `minutes`; `input` is the event as JSON, None for EventBridge's own."""

    name: str
    function: str
    minutes: int
    input: str | None


@dataclass(frozen=True, slots=True)
class QueueSource:
    """A queue that is the event source of a function."""

    queue: str
    function: str
    batch_size: int
    reports_failures: bool  # per message


@dataclass(frozen=True, slots=True)
class Queue:
    """A message received `max_receives` times moves to the queue `dead_letters`."""

    name: str
    dead_letters: str | None
    max_receives: int


@dataclass(frozen=True, slots=True)
class Bucket:
    versioned: bool
    sends_events: bool  # to EventBridge


class Template:
    """A template; resources whose condition is false are left out."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @classmethod
    def load(cls, path: Path, parameters: Mapping[str, str] | None = None) -> Self:
        """Read the file; `parameters` override the template's defaults."""
        return cls(Resources.load(path, parameters or {}))

    def check(self, parameters: Mapping[str, str]) -> None:
        """Raises InvalidInput for a parameter that the template does not take, or not with this value."""
        check(parameters, self._resources.parameters())

    def functions(self) -> dict[str, Function]:
        return {
            name: self._function(name, properties)
            for name, properties in self._resources.of_type("Serverless::Function")
        }

    def routes(self) -> list[Route]:
        """Routes of the HTTP API. Raises MaasError for an authorizer that is not a Lambda function."""
        return [
            Route(event["Method"].upper(), event["Path"], function, self._authorizer(event))
            for function, _, event in self._resources.events("HttpApi")
            if "Path" in event
        ]

    def is_protected(self) -> bool:
        """Whether callers need a key."""
        return any(route.authorizer for route in self.routes())

    def event_rules(self) -> list[EventRule]:
        return [
            EventRule(f"{function}{name}", event["Pattern"], function)
            for function, name, event in self._resources.events("EventBridgeRule")
        ]

    def schedules(self) -> list[Schedule]:
        """Raises MaasError for one that is no rate."""
        return [
            Schedule(f"{function}{name}", function, _minutes(event["Schedule"]), event.get("Input"))
            for function, name, event in self._resources.events("Schedule")
        ]

    def table_request(self) -> dict[str, Any]:
        """The arguments of CreateTable except its name."""
        ((_, properties),) = self._resources.of_type("DynamoDB::Table")
        return {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}

    def table_expiry(self) -> dict[str, Any] | None:
        """The attribute with a row's time to live, as UpdateTimeToLive takes it."""
        ((_, properties),) = self._resources.of_type("DynamoDB::Table")
        return properties.get("TimeToLiveSpecification")

    def bucket(self) -> Bucket:
        ((_, properties),) = self._resources.of_type("S3::Bucket")
        events = properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration", {})
        return Bucket(
            versioned=properties.get("VersioningConfiguration", {}).get("Status") == "Enabled",
            sends_events=str(events.get("EventBridgeEnabled", "false")).lower() == "true",
        )

    def queues(self) -> list[Queue]:
        found = []
        for name, properties in self._resources.of_type("SQS::Queue"):
            redrive = properties.get("RedrivePolicy", {})
            target = redrive.get("deadLetterTargetArn", "").rpartition(":")[2] or None
            found.append(Queue(name, target, int(redrive.get("maxReceiveCount", 0))))
        targets = {queue.name: queue.dead_letters for queue in found}

        def depth(name: str) -> int:
            target = targets.get(name)
            return 1 + depth(target) if target else 0

        return sorted(found, key=lambda queue: depth(queue.name))  # each after its dead-letter queue

    def queue_sources(self) -> list[QueueSource]:
        return [
            QueueSource(
                event["Queue"].rpartition(":")[2],
                function,
                int(event.get("BatchSize", 10)),
                "ReportBatchItemFailures" in event.get("FunctionResponseTypes", []),
            )
            for function, _, event in self._resources.events("SQS")
        ]

    def _function(self, name: str, properties: dict[str, Any]) -> Function:
        defaults = self._resources.function_defaults()
        merged = defaults | properties
        variables = {
            key: str(value).lower() if isinstance(value, bool) else str(value)
            for source in (defaults, properties)
            for key, value in source.get("Environment", {}).get("Variables", {}).items()
        }
        asynchronous = merged.get("EventInvokeConfig", {})
        on_failure = asynchronous.get("DestinationConfig", {}).get("OnFailure", {})
        return Function(
            name=name,
            folder=self._resources.folder / merged["CodeUri"],
            handler=merged["Handler"],
            environment=variables,
            timeout_seconds=float(merged.get("Timeout", 3)),  # Lambda's default
            memory_mb=int(merged.get("MemorySize", 128)),
            attempts=1 + int(asynchronous.get("MaximumRetryAttempts", 2)),
            on_failure=on_failure["Destination"].rpartition(":")[2] if on_failure.get("Type") == "SQS" else None,
        )

    def _authorizer(self, event: dict[str, Any]) -> Authorizer | None:
        """The authorizer of this event's route in the API's OpenAPI document."""
        apis = dict(self._resources.of_type("Serverless::HttpApi"))
        document = apis.get(event.get("ApiId", ""), {}).get("DefinitionBody", {})
        methods = document.get("paths", {}).get(event["Path"], {})
        method = "x-amazon-apigateway-any-method" if event["Method"].upper() == "ANY" else event["Method"].lower()
        security = methods.get(method, {}).get("security") or []
        if not security:
            return None
        ((name, _),) = security[0].items()
        asked = document["components"]["securitySchemes"][name].get("x-amazon-apigateway-authorizer", {})
        if asked.get("type") != "request":
            raise MaasError("the local stack supports API keys only: keep the parameter Auth at its default, keys")
        sources = [one.strip() for one in asked.get("identitySource", "").split(",") if one.strip()]
        function = asked["authorizerUri"].rpartition("/functions/")[2].removesuffix("/invocations")
        return Authorizer(
            function.split(":")[5],  # an ARN, with or without an alias
            tuple(source.removeprefix("$request.header.").lower() for source in sources),
            float(asked.get("authorizerResultTtlInSeconds", 300)) if sources else 0,
        )


def _minutes(rate: str) -> int:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate)
    if not found:
        raise MaasError(f"the local stack runs schedules at a rate only, not {rate}")
    return int(found[1]) * {"minute": 1, "hour": 60, "day": 24 * 60}[found[2]]
