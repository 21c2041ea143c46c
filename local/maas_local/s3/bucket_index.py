"""The database of the index, and the buckets in it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maas_local.s3.errors import S3Error
from maas_local.s3.stored import SCHEMA, StoredBucket
from maas_local.sqlite import connect, transaction


class Buckets:
    """Any thread may call it; one at a time uses the database."""

    def __init__(self, path: Path | None) -> None:
        self._lock, self._database = threading.Lock(), connect(path, SCHEMA)

    def create_bucket(self, name: str) -> None:
        """Raises BucketAlreadyOwnedByYou."""
        try:
            self._write("INSERT INTO buckets (name) VALUES (?)", name)
        except sqlite3.IntegrityError:
            raise S3Error("BucketAlreadyOwnedByYou", f"bucket {name} exists") from None

    def configure(self, name: str, *, versioned: bool | None = None, events: bool | None = None) -> None:
        for column, value in (("versioned", versioned), ("events", events)):
            if value is not None:
                self._write(f"UPDATE buckets SET {column} = ? WHERE name = ?", value, name)  # noqa: S608 (our names)

    def bucket(self, name: str) -> StoredBucket:
        """Raises NoSuchBucket."""
        for row in self._read("SELECT name, versioned, events FROM buckets WHERE name = ?", name):
            return StoredBucket(row[0], bool(row[1]), bool(row[2]))
        raise S3Error("NoSuchBucket", f"there is no bucket {name}")

    def buckets(self) -> list[str]:
        return [row[0] for row in self._read("SELECT name FROM buckets ORDER BY name")]

    def delete_bucket(self, name: str) -> None:
        """Raises NoSuchBucket, BucketNotEmpty."""
        self.bucket(name)
        with self._changing():
            if self._database.execute("SELECT 1 FROM versions WHERE bucket = ? LIMIT 1", (name,)).fetchone():
                raise S3Error("BucketNotEmpty", f"bucket {name} holds objects or versions")
            self._database.execute("DELETE FROM buckets WHERE name = ?", (name,))

    def _read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def _write(self, sql: str, *values: object) -> None:
        with self._lock:
            self._database.execute(sql, values)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock, transaction(self._database):
            yield
