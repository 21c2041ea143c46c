"""Rows of DynamoDB tables in SQLite, in the order of their keys. The rows of one request are written together."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from maas_local.sqlite import connect, transaction

Attributes = dict[str, Any]  # as DynamoDB's JSON has them: {"name": {"S": "text"}}
Key = tuple[str, str, str]  # table, partition key, sort key
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (tbl TEXT, pk TEXT, sk TEXT, attributes BLOB, PRIMARY KEY (tbl, pk, sk)) WITHOUT ROWID;
"""
PAGE = 100


class Rows:
    """One thread uses it at a time."""

    def __init__(self, path: Path | None) -> None:
        self._database: sqlite3.Connection = connect(path, _SCHEMA)

    def get(self, key: Key) -> Attributes | None:
        sql = "SELECT attributes FROM rows WHERE tbl = ? AND pk = ? AND sk = ?"
        found = self._database.execute(sql, key).fetchone()
        return orjson.loads(found[0]) if found else None

    def range(
        self, table: str, pk: str, first: str, last: str | None, *, backwards: bool = False
    ) -> Iterator[tuple[str, Attributes]]:
        """Sort keys from `first` to `last`, both included (None: to the end), with their rows."""
        order, beyond = ("DESC", "<") if backwards else ("ASC", ">")
        bounds = "AND sk >= ?" + ("" if last is None else " AND sk <= ?")
        values: list[str] = [first] if last is None else [first, last]
        after: str | None = None
        while True:
            more = "" if after is None else f" AND sk {beyond} ?"
            sql = f"SELECT sk, attributes FROM rows WHERE tbl = ? AND pk = ? {bounds}{more} ORDER BY sk {order} LIMIT ?"  # noqa: S608
            given = [table, pk, *values, *([] if after is None else [after]), PAGE]
            found = self._database.execute(sql, given).fetchall()
            for sk, attributes in found:
                yield sk, orjson.loads(attributes)
            if len(found) < PAGE:
                return
            after = found[-1][0]

    def all(self, table: str) -> Iterator[tuple[str, str, Attributes]]:
        """Every row of a table: partition key, sort key, attributes."""
        sql = "SELECT pk, sk, attributes FROM rows WHERE tbl = ? ORDER BY pk, sk"
        for pk, sk, attributes in self._database.execute(sql, (table,)).fetchall():
            yield pk, sk, orjson.loads(attributes)

    def count(self, table: str) -> int:
        count: int = self._database.execute("SELECT COUNT(*) FROM rows WHERE tbl = ?", (table,)).fetchone()[0]
        return count

    def is_empty(self) -> bool:
        return not self._database.execute("SELECT 1 FROM rows LIMIT 1").fetchall()

    def write(self, changes: dict[Key, Attributes | None]) -> None:
        """Replace rows, or delete those that are None: all or none."""
        with transaction(self._database):
            for key, attributes in changes.items():
                if attributes is None:
                    self._database.execute("DELETE FROM rows WHERE tbl = ? AND pk = ? AND sk = ?", key)
                else:
                    self._database.execute("REPLACE INTO rows VALUES (?, ?, ?, ?)", (*key, orjson.dumps(attributes)))

    def delete_table(self, table: str) -> None:
        self._database.execute("DELETE FROM rows WHERE tbl = ?", (table,))

    def clear(self) -> None:
        self._database.execute("DELETE FROM rows")

    def delete_expired(self, table: str, attribute: str, now: float) -> None:
        """Delete the rows whose time to live is over."""
        sql = "DELETE FROM rows WHERE tbl = ? AND CAST(json_extract(CAST(attributes AS TEXT), ?) AS REAL) < ?"
        self._database.execute(sql, (table, f'$."{attribute}".N', now))
