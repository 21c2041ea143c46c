"""moto's DynamoDB on rows in SQLite.

moto keeps every row in memory, sorts the whole table for a query, and copies it for every row of a transaction, in case
it fails. Here it reads the rows that a request needs, and what a request changes is written when it succeeds: a failed
transaction has written nothing, and an answered one survives the end of this process.
"""

import copy
import threading
import time
from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, Table

from maas_local.table.rows import Attributes, Key, Rows

LAST = "\U0010ffff"
# moto passes index_name, consistent_read and the filter by their places.
_PLAIN = {"hash_key_conditions", "range_key_conditions"}


class Changes:
    """What the current request changed; `keep` it if the request succeeded. `lock` is for one request at a time."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.lock = rows, threading.Lock()
        self.items: dict[Key, Item | None] = {}

    def keep(self) -> None:
        changes = {key: item.to_json()["Attributes"] if item else None for key, item in self.items.items()}
        self.items.clear()
        if changes:
            self.rows.write(changes)

    def discard(self) -> None:
        self.items.clear()


class Partition:
    """The rows of one partition key: what moto asks of a dict of sort keys."""

    def __init__(self, changes: Changes, table: str, pk: DynamoType) -> None:
        self._changes, self._table, self._pk = changes, table, pk

    def __getitem__(self, sk: DynamoType) -> Item:
        """A copy of the row. Raises KeyError."""
        key = self._key(sk)
        if key in self._changes.items:
            item = self._changes.items[key]
        else:
            attributes = self._changes.rows.get(key)
            item = _item(attributes, self._pk, sk) if attributes else None
        if item is None:
            raise KeyError(sk)
        return item

    def __setitem__(self, sk: DynamoType, item: Item) -> None:
        self._changes.items[self._key(sk)] = item

    def pop(self, sk: DynamoType) -> Item:
        item = self[sk]
        self._changes.items[self._key(sk)] = None
        return item

    def range(self, first: str, last: str | None, backwards: bool) -> Iterator[Item]:
        for sk, attributes in self._changes.rows.range(self._table, self._pk.value, first, last, backwards=backwards):
            yield _item(attributes, self._pk, DynamoType({"S": sk}))

    def _key(self, sk: DynamoType) -> Key:
        return self._table, self._pk.value, sk.value


class Partitions:
    """What moto asks of a dict of partitions."""

    def __init__(self, changes: Changes, table: str) -> None:
        self._changes, self._table = changes, table

    def __getitem__(self, pk: DynamoType) -> Partition:
        return Partition(self._changes, self._table, pk)

    def __len__(self) -> int:
        return self._changes.rows.count(self._table)

    def values(self) -> Iterator[dict[str, Item]]:
        """Every row, for a scan."""
        for pk, sk, attributes in self._changes.rows.all(self._table):
            yield {sk: _item(attributes, DynamoType({"S": pk}), DynamoType({"S": sk}))}


def _item(attributes: Attributes, pk: DynamoType, sk: DynamoType) -> Item:
    """moto's row. It checks the size of the whole row at each attribute: these were checked when they came."""
    item = Item(pk, sk, {})
    for name, value in attributes.items():
        dict.__setitem__(item.attrs, name, DynamoType(value))
    return item


def _query(
    partition: Partition,
    comparison: str | None,
    values: list[DynamoType],
    table: Table,
    limit: int | None,
    start: dict[str, Any] | None,
    forward: bool,
) -> tuple[list[Item], dict[str, Any] | None]:
    """A page of a partition: its rows, and the key that the next page starts after."""
    after = start[str(table.range_key_attr)]["S"] if start else None
    first, last = _bounds(comparison, [value.value for value in values])
    if after is not None:
        first, last = (max(first, after), last) if forward else (first, after if last is None else min(last, after))
    found: list[Item] = []
    size_bytes, last_key = 0, None
    for item in partition.range(first, last, not forward):
        assert item.range_key
        if item.range_key.value == after or (comparison and not item.range_key.compare(comparison, values)):
            continue
        size_bytes += item.size()
        if len(found) == limit or (size_bytes > RESULT_SIZE_LIMIT and found):
            last_key = table._get_last_evaluated_key(found[-1], None)
            break
        found.append(item)
    return found, last_key


def _shown(
    page: list[Item], last_key: dict[str, Any] | None, filter_expression: Any, projections: list[list[str]] | None
) -> tuple[list[Item], int, dict[str, Any] | None]:
    """moto's answer of a query: the rows, how many were read, the last key."""
    shown = [item for item in page if filter_expression is None or filter_expression.expr(item)]
    if projections:
        shown = [item.project(projections) for item in shown]
    return shown, len(page), last_key


def _bounds(comparison: str | None, values: list[str]) -> tuple[str, str | None]:
    """The range that holds all sort keys for which the comparison is true."""
    match comparison:
        case "BETWEEN":
            return values[0], values[1]
        case "BEGINS_WITH":
            return values[0], values[0] + LAST
        case "=" | "EQ":
            return values[0], values[0]
        case "<" | "<=" | "LT" | "LE":
            return "", values[0]
        case ">" | ">=" | "GT" | "GE":
            return values[0], None
    return "", None


def install(rows: Rows) -> Changes:
    """Replaces these parts of moto, in this process; tables whose two keys are texts keep their rows in `rows`."""
    changes = Changes(rows)
    _install_table(changes)
    _install_backend(rows)
    for kind in (Item, Table):  # moto keeps a list of every instance
        kind.__new__ = lambda cls, *_, **__: object.__new__(cls)  # type: ignore[method-assign]
    return changes


def _install_table(changes: Changes) -> None:
    make, query = Table.__init__, Table.query

    def make_table(self: Table, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        if (self.hash_key_type, self.range_key_type) == ("S", "S"):
            self.items = Partitions(changes, self.name)  # type: ignore[assignment]

    def query_rows(
        self: Table, hash_key: Any, comparison: str | None, values: list[Any], *rest: Any, **named: Any
    ) -> Any:
        limit, start, forward, projections, index_name, _, filter_expression = rest
        partitions: Any = self.items
        if index_name or not hash_key or named.keys() - _PLAIN or not isinstance(partitions, Partitions):
            return query(self, hash_key, comparison, values, *rest, **named)
        page = _query(partitions[hash_key], comparison, values, self, limit, start, forward)
        return _shown(*page, filter_expression, projections)

    Table.__init__ = make_table  # type: ignore[method-assign]
    Table.query = query_rows  # type: ignore[method-assign,assignment]
    Table.__deepcopy__ = lambda self, _: copy.copy(self)  # type: ignore[attr-defined] # nothing to take back
    Table.__len__ = lambda self: len(self.items)  # type: ignore[method-assign]
    Table.__bool__ = lambda self: True  # type: ignore[method-assign] # moto asks whether there is a table, not a row


def _install_backend(rows: Rows) -> None:
    update_item, delete_table = DynamoDBBackend.update_item, DynamoDBBackend.delete_table
    expire = DynamoDBBackend.update_time_to_live

    def update_row(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *rest: Any, **named: Any) -> Any:
        table = self.get_table(table_name)
        partitions: Any = table.items
        if isinstance(partitions, Partitions):  # moto changes the row that it reads
            pk, sk = self.get_keys_value(table, key)
            item = table.get_item(pk, sk)
            if item is not None and sk is not None:
                partitions[pk][sk] = item
        return update_item(self, table_name, key, *rest, **named)

    def forget(self: DynamoDBBackend, name: str) -> Table:
        gone = delete_table(self, name)
        rows.delete_table(gone.name)
        return gone

    def set_expiry(self: DynamoDBBackend, table_name: str, ttl_spec: dict[str, Any]) -> None:
        expire(self, table_name, ttl_spec)
        if ttl_spec["Enabled"]:
            rows.delete_expired(table_name, ttl_spec["AttributeName"], time.time())

    DynamoDBBackend.update_item = update_row  # type: ignore[method-assign]
    DynamoDBBackend.delete_table = forget  # type: ignore[method-assign]
    DynamoDBBackend.update_time_to_live = set_expiry  # type: ignore[method-assign]
