"""Local files to upload: hashed and counted."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

from maas_client.errors import InvalidInput, InvalidResponse
from maas_client.name_rules import are_headers, is_address
from maas_client.records.transfers import ModelFile, Progress, Upload, UploadPart

CHUNK_BYTES = 1 << 20

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to upload under `name`, its path below the folder that is pushed. `content` stands in for `path`."""

    path: Path
    name: str
    size_bytes: int
    content: bytes | None = None

    def open(self) -> BinaryIO:
        return self.path.open("rb") if self.content is None else BytesIO(self.content)


def quantizing(scheme: str | None, tolerance: float | None) -> dict[str, Any]:
    """The form to quantise to, as the API takes it; empty for none. Raises InvalidInput."""
    if tolerance is not None and scheme is None:
        raise InvalidInput("a tolerance of quantising without a scheme: give both, or none")
    given = {"scheme": scheme, "tolerance": tolerance}
    return {name: value for name, value in given.items() if value is not None}


def records_file(path: Path) -> LocalFile:
    """A file of records to predict. Raises InvalidInput."""
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}")
    return LocalFile(path, _plain_name(path.name), path.stat().st_size)


def _plain_name(name: str) -> str:
    """A name that the server accepts. Only the suffix, the format, matters."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name.lower())
    return "_" + plain[-100:] if plain.startswith((".", "-")) or len(plain) > 100 else plain


def declare(files: Sequence[LocalFile], report: Report | None = None) -> list[ModelFile]:
    """The files with their SHA-256, read once in chunks. Raises InvalidInput for a file that cannot be read."""
    meter = Meter("hashing", sum(file.size_bytes for file in files), report)
    return [ModelFile(file.name, file.size_bytes, _sha256(file, meter)) for file in files]


def _sha256(source: LocalFile, meter: "Meter") -> str:
    digest = hashlib.sha256()
    try:
        with source.open() as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                meter.add(len(chunk))
    except OSError as error:
        raise InvalidInput(f"cannot read {source.path}: {error.strerror}") from error
    return digest.hexdigest()


def placed(uploads: Sequence[Upload], files: Sequence[LocalFile]) -> list[tuple[LocalFile, UploadPart]]:
    """Each part with its file. Raises InvalidResponse for parts that do not cover their file exactly."""
    by_name, found = {file.name: file for file in files}, []
    for upload in uploads:
        file, end = by_name.get(upload.name), 0
        for part in sorted(upload.parts, key=lambda part: part.offset):
            if file is None or part.offset != end or part.size_bytes < 0 or part.method not in ("PUT", "POST"):
                raise InvalidResponse(f"the server asks for parts of {upload.name!r:.200} that no file has")
            if not (is_address(part.url) and are_headers(part.headers)):
                raise InvalidResponse(f"the server asks for {upload.name!r:.200} in a way that HTTP does not have")
            end += part.size_bytes
            found.append((file, part))
        if file is not None and end not in (0, file.size_bytes):
            raise InvalidResponse(f"the server asks for {end:,} of the {file.size_bytes:,} bytes of {upload.name!r}")
    return found


class Meter:
    """Counts bytes from several threads and reports one at a time."""

    def __init__(
        self, stage: Literal["hashing", "uploading", "downloading"], total_bytes: int, report: Report | None
    ) -> None:
        self._stage, self._total_bytes, self._report = stage, total_bytes, report
        self._done_bytes = 0
        self._lock = threading.Lock()
        self.add(0)

    def add(self, size_bytes: int) -> None:
        with self._lock:
            self._done_bytes += size_bytes
            if self._report:
                self._report(Progress(self._stage, self._done_bytes, self._total_bytes))
