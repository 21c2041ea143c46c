"""Files of a version or a job on their way here, whole and right or not at all."""

import hashlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from maas_client.errors import DownloadFailed
from maas_client.model_records import Download
from maas_client.transport import HTTPX_ERRORS, http_client, pause, reason
from maas_client.upload import ATTEMPTS, CHUNK_BYTES, WORTH_RETRYING, Meter, Report


class _Refused(DownloadFailed):
    """As when the address was good for a time that is over."""


def fetch(
    files: Sequence[Download], folder: Path, report: Report | None, fresh: Callable[[], Mapping[str, str]] | None = None
) -> list[Path]:
    """Each file into `folder` under its name; one that is there with the right digest stays. Raises DownloadFailed.

    `fresh` gives addresses by name that are good again, for when the storage refuses those of `files`.
    """
    meter = Meter("downloading", sum(file.size_bytes for file in files), report)
    urls: Mapping[str, str] = {}
    paths = []
    with http_client(files[0].url) as http:
        for file in files:
            try:
                paths.append(_fetch(http, replace(file, url=urls.get(file.name, file.url)), folder, meter))
            except _Refused:
                if fresh is None:
                    raise
                urls = fresh()
                paths.append(_fetch(http, replace(file, url=urls.get(file.name, file.url)), folder, meter))
    return paths


def content(url: str, name: str) -> bytes:
    """All that is at a presigned address. Raises DownloadFailed."""
    with http_client(url) as http:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = http.get(url)
            except HTTPX_ERRORS as error:
                problem = reason(error)
            else:
                if response.is_success:
                    return response.content
                problem = f"HTTP {response.status_code}"
                if response.status_code not in WORTH_RETRYING:
                    raise DownloadFailed(f"the storage refused {name}: {problem}")
            if attempt < ATTEMPTS:
                pause(attempt)
    raise DownloadFailed(f"the storage did not give {name} in {ATTEMPTS} attempts ({problem})")


def _fetch(http: httpx.Client, file: Download, folder: Path, meter: Meter) -> Path:
    path = (folder / file.name).resolve()
    if not path.is_relative_to(folder.resolve()):  # whatever the server says, nothing is written elsewhere
        raise DownloadFailed(f"{file.name!r} would be written outside {folder}")
    if path.is_file() and path.stat().st_size == file.size_bytes and _sha256(path) == file.sha256:
        meter.add(file.size_bytes)
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            _get(http, file, unfinished, meter)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise DownloadFailed(f"cannot write {path}: {error.strerror}") from error
    return path


def _get(http: httpx.Client, file: Download, path: Path, meter: Meter) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        digest, received = hashlib.sha256(), 0
        try:
            with http.stream("GET", file.url) as response, path.open("wb") as target:
                if response.is_success:
                    for chunk in response.iter_bytes(CHUNK_BYTES):
                        target.write(chunk)
                        digest.update(chunk)
                        received += len(chunk)
                        meter.add(len(chunk))
                status = response.status_code
        except HTTPX_ERRORS as error:
            problem = reason(error)
        else:
            if digest.hexdigest() == file.sha256 and response.is_success:
                return
            problem = f"HTTP {status}" if not response.is_success else "its bytes are not those that were uploaded"
            if not response.is_success and status not in WORTH_RETRYING:
                raise _Refused(f"the storage refused {file.name}: {problem}")
        meter.add(-received)
        if attempt < ATTEMPTS:
            pause(attempt)
    raise DownloadFailed(f"the storage did not give {file.name} in {ATTEMPTS} attempts ({problem})")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
