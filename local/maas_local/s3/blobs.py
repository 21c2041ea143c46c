"""Contents of objects and parts: one file each, written once. An object of several parts is a list of files."""

import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from maas_local.s3.bodies import PIECE_BYTES
from maas_local.s3.errors import S3Error

_NAME = re.compile(r"[0-9a-f]{32}")


class Blob(NamedTuple):
    name: str
    size_bytes: int


class Blobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, body: Iterable[bytes]) -> tuple[Blob, str]:
        """A new file with the body, and its MD5 in hex. What `body` raises leaves no file."""
        name = uuid.uuid4().hex
        path = self._path(name)
        path.parent.mkdir(exist_ok=True)
        digest, size_bytes = hashlib.md5(), 0  # noqa: S324 (S3's ETag)
        try:
            with path.open("xb") as file:
                for piece in body:
                    digest.update(piece)
                    size_bytes += file.write(piece)
        except BaseException:
            path.unlink()
            raise
        return Blob(name, size_bytes), digest.hexdigest()

    def link(self, blobs: Sequence[Blob]) -> list[Blob]:
        """Further names of the same contents, for a copy."""
        made = []
        for blob in blobs:
            copy = Blob(uuid.uuid4().hex, blob.size_bytes)
            to = self._path(copy.name)
            to.parent.mkdir(exist_ok=True)
            os.link(self._path(blob.name), to)
            made.append(copy)
        return made

    def read(self, blobs: Sequence[Blob], start: int, end: int) -> Iterator[bytes]:
        """Bytes [start, end) of the contents joined, in pieces. The files are opened now: a delete does not end it.

        Raises FileNotFoundError, and InternalError for a file that something else has cut or extended.
        """
        opened = []
        for blob in blobs:
            if start < blob.size_bytes and end > 0:
                path = self._path(blob.name)
                file = path.open("rb")
                opened.append((file, max(0, start), min(end, blob.size_bytes)))
                if (found := os.fstat(file.fileno()).st_size) != blob.size_bytes:
                    raise _changed(path, found, blob.size_bytes)
            start, end = start - blob.size_bytes, end - blob.size_bytes

        def content() -> Iterator[bytes]:
            for file, first, last in opened:
                with file:
                    file.seek(first)
                    while first < last:
                        piece = file.read(min(PIECE_BYTES, last - first))
                        if not piece:
                            raise _changed(Path(file.name), first, last)
                        first += len(piece)
                        yield piece

        return content()

    def delete(self, blobs: Iterable[Blob]) -> None:
        self.forget(blob.name for blob in blobs)

    def forget(self, names: Iterable[str]) -> None:
        """Delete files by their names."""
        for name in names:
            with suppress(FileNotFoundError):
                self._path(name).unlink()

    def names(self) -> Iterator[str]:
        """Of all files that `write` and `link` named: what else lies here is somebody else's."""
        for path in self._folder.glob("??/*"):
            if _NAME.fullmatch(path.name):
                yield path.name

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def _changed(path: Path, found: int, expected: int) -> S3Error:
    return damaged(f"{path} has {found:,} bytes, expected {expected:,}: something else has changed it")


def damaged(what: str) -> S3Error:
    return S3Error("InternalError", f"{what}. Restore it from a backup, push the model or run the job again")
