"""A SQLite database that a killed process leaves whole."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maas_local.failures import Unusable

BUSY_MS = 10_000


def connect(path: Path | None, schema: str) -> sqlite3.Connection:
    """Open or create it; None is one in memory. The caller lets one thread use it at a time. Raises Unusable."""
    try:
        database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        # A commit is in the operating system's hands before it is answered: no end of this process loses it.
        for setting in ("journal_mode = WAL", "synchronous = NORMAL", f"busy_timeout = {BUSY_MS}"):
            database.execute(f"PRAGMA {setting}")
        database.executescript(schema)
    except sqlite3.OperationalError as error:  # such as a full disk
        raise Unusable(f"cannot use {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        assert path
        raise Unusable(f"{path} is damaged ({error}): {remedy(path)}") from error
    return database


def remedy(path: Path) -> str:
    return f"restore {path} with its -wal file from a backup, or remove {path.parent} to begin anew"


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of the block's statements."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # SQLite ends some itself, as where the disk is full
            database.execute("ROLLBACK")
        raise
