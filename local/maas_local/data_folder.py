"""The folder of a local stack that remembers: one stack at a time, its port and its key."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from maas_client.errors import MaasError

_FILE, _LOCK = "local.json", "lock"
_PATIENCE_SECONDS = 5.0  # for the processes of a stack that was killed to end


@dataclass(frozen=True, slots=True)
class Remembered:
    """`port` of the AWS services, 0 before the first start; `api_key` of scope admin."""

    port: int = 0
    api_key: str = ""


class DataFolder:
    """`lock` is a descriptor that the processes which write to the folder inherit: they hold it until the last ends."""

    def __init__(self, path: Path, lock: int, remembered: Remembered) -> None:
        self.path, self.lock, self.remembered = path, lock, remembered

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["DataFolder"]:
        """Create the folder if need be, and keep other stacks from it. Raises MaasError."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise MaasError(f"cannot use {path} ({error.strerror}): choose another folder with --data") from None
        try:
            _take(lock, path)
            yield cls(path.absolute(), lock, _read(path / _FILE))
        finally:
            os.close(lock)

    def remember(self, port: int | None = None, api_key: str | None = None) -> None:
        """Change what is not None, in one step: a killed process leaves the old file or the new one."""
        known = self.remembered
        wanted = Remembered(known.port if port is None else port, api_key or known.api_key)
        if wanted == self.remembered:
            return
        temporary = self.path / f"{_FILE}.new"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(wanted), file)
        temporary.replace(self.path / _FILE)
        self.remembered = wanted


def _take(lock: int, path: Path) -> None:
    """Raises MaasError if another stack keeps the folder."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise MaasError(
                    f"another `maas local` uses {path}: stop it, or choose another folder with --data"
                ) from None
            time.sleep(0.05)


def _read(file: Path) -> Remembered:
    """Raises MaasError."""
    try:
        return Remembered(**json.loads(file.read_text())) if file.exists() else Remembered()
    except (ValueError, TypeError):
        raise MaasError(f"{file} is not what `maas local` wrote: remove it, and a new key is made") from None
