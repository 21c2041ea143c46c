"""The cost of registry operations in DynamoDB, as the engine reports it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from maas.aws.attributes import pack
from maas.aws.dynamodb import Call, Table, boto3_call
from maas.aws.writes import Put
from maas.records import ModelFile, ModelVersion, Status, fields_of
from maas.records.aliases import Route
from maas.registry import Registry
from maas.registry.state import table_rows

FILE = ModelFile("model.onnx", 10, "0" * 64)
_METERED = {"GetItem", "BatchGetItem", "Query", "PutItem", "TransactWriteItems", "BatchWriteItem"}


@dataclass
class Cost:
    """DynamoDB operations in order, and capacity units consumed."""

    operations: list[str] = field(default_factory=list)
    units: float = 0.0


class Meter:
    """A Call that adds up operations and capacity units."""

    def __init__(self, call: Call) -> None:
        self._call, self._cost = call, Cost()

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        assert operation in _METERED, f"{operation} is no operation that stays flat"
        answer = self._call(operation, request | {"ReturnConsumedCapacity": "TOTAL"})
        consumed = answer.get("ConsumedCapacity") or []
        self._cost.operations.append(operation)
        self._cost.units += sum(
            one["CapacityUnits"] for one in (consumed if isinstance(consumed, list) else [consumed])
        )
        return answer

    @contextmanager
    def measured(self) -> Iterator[Cost]:
        self._cost = Cost()
        try:
            yield self._cost
        finally:
            self._cost = Cost()


def add_ready(registry: Registry, model: str = "m") -> ModelVersion:
    created = registry.versions.create(model, [FILE], "", {}, "ann")
    version = registry.validation.start(model, created.number, "ann")
    return registry.validation.finish(replace(version, status=Status.READY), "ann")


def operations(registry: Registry) -> dict[str, Callable[[], object]]:
    """Every operation once, in an order in which each succeeds if model `m` has two READY versions and no alias."""
    last = registry.models.get("m").latest_ready_version or 0
    return {
        "create a version": lambda: registry.versions.create("m", [FILE], "", {}, "ann"),
        "show a model": lambda: registry.models.get("m"),
        "show a version": lambda: registry.versions.get("m", last),
        "list 10 models": lambda: registry.models.page(10),
        "list 10 versions": lambda: registry.versions.page("m", 10),
        "list 10 history entries": lambda: registry.history.page("m", 10),
        "change tags of a model": lambda: registry.models.update("m", "ann", None, {"a": str(last)}),
        "change tags of a version": lambda: registry.versions.update("m", last, "ann", None, {"a": "b"}),
        "set an alias": lambda: registry.aliases.set("m", "prod", last, "ann"),
        "move an alias": lambda: registry.aliases.set("m", "prod", last - 1, "ann"),
        "share an alias": lambda: registry.aliases.set("m", "prod", [Route(last, 10), Route(last - 1, 90)], "ann"),
        "resolve a shared alias": lambda: registry.resolution("m", "prod"),
        "roll an alias back": lambda: registry.aliases.rollback("m", "prod", "ann"),
        "resolve an alias": lambda: registry.resolve("m", "prod"),
        "resolve a number": lambda: registry.resolve("m", str(last)),
        "resolve nothing": lambda: registry.resolve("m", None),
        "what was live": lambda: registry.aliases.routes_at("m", "prod", datetime.now(UTC)),
        "delete an alias": lambda: registry.aliases.delete("m", "prod", "ann"),
        "delete a version": lambda: registry.versions.delete("m", last, "ann"),
        "restore a version": lambda: registry.versions.restore("m", last, "ann"),
        "delete a model": lambda: registry.models.delete("m", "ann"),
        "restore a model": lambda: registry.models.restore("m", "ann"),
    }


def grow(client: Any, table_name: str, name: str, versions: int) -> None:
    """Adds so many READY versions with their history to the model, as copies of the rows of one.

    One by one through the registry, 100,000 would take an hour.
    """
    registry = Registry(Table(boto3_call(client), table_name))
    made, owner = registry.versions.get(name, add_ready(registry, name).number)
    entries, _ = registry.history.page(name, 3)

    def puts() -> Iterator[Put]:
        for further in range(1, versions):
            number, later = made.number + further, 3 * further
            version = replace(made, number=number, revision=made.revision + later)
            yield Put(table_rows.version_key(name, number), fields_of(version), None)
            yield Put(table_rows.ready_key(name, number), {"number": number, "task": None}, None)
            for entry in entries:
                change = replace(entry, version=number, revision=entry.revision + later)
                yield Put(table_rows.history_key(name, change.revision), fields_of(change), None)
        last, revision = made.number + versions - 1, owner.revision + 3 * (versions - 1)
        grown = replace(owner, last_version=last, latest_ready_version=last, revision=revision)
        yield Put(table_rows.model_key(name), fields_of(grown), None)

    for batch in batched(puts(), 25):
        requests = [
            {
                "PutRequest": {
                    "Item": {key: pack(value) for key, value in zip(("pk", "sk"), put.key, strict=True)}
                    | {key: pack(value) for key, value in put.item.items()}
                }
            }
            for put in batch
        ]
        client.batch_write_item(RequestItems={table_name: requests})


def batched(items: Iterable[Put], count: int) -> Iterator[list[Put]]:
    left = iter(items)
    while batch := list(islice(left, count)):
        yield batch
