# Made from _async/downloads.py by client/generate_sync.py: change that file.
"""Files of a version or a job on their way here, whole and right or not at all."""

import hashlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import httpx

from maas_client._sync.backend import http_client, in_thread
from maas_client._sync.transport import HTTPX_ERRORS, retried
from maas_client.calls import reason
from maas_client.errors import DownloadFailed
from maas_client.files import CHUNK_BYTES, Meter, Report
from maas_client.retries import STORAGE_ATTEMPTS, STORAGE_MAY_WORK_LATER, Retries, TryAgain
from maas_client.settings import Route
from maas_client.transfer_records import Download

Fresh = Callable[[], Mapping[str, str]]


class _Refused(DownloadFailed):
    """As when the address was good for a time that is over."""


def fetch(files: Sequence[Download], folder: Path, report: Report | None, fresh: Fresh | None = None) -> list[Path]:
    """Each file into `folder` under its name; one that is there with the right digest stays. Raises DownloadFailed.

    `fresh` gives addresses by name that are good again, for when the storage refuses those of `files`.
    """
    meter = Meter("downloading", sum(file.size_bytes for file in files), report)
    urls: Mapping[str, str] = {}
    paths = []
    with http_client(Route.to(files[0].url)) as http:
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

    def attempt() -> bytes:
        try:
            response = http.get(url)
        except HTTPX_ERRORS as error:
            raise TryAgain(_failure(name, reason(error))) from error
        if not response.is_success:
            raise _refusal(name, response.status_code)
        return response.content

    with http_client(Route.to(url)) as http:
        return retried(attempt, Retries(STORAGE_ATTEMPTS))


def _fetch(http: httpx.Client, file: Download, folder: Path, meter: Meter) -> Path:
    path = (folder / file.name).resolve()
    if not path.is_relative_to(folder.resolve()):  # whatever the server says, nothing is written elsewhere
        raise DownloadFailed(f"{file.name!r} would be written outside {folder}")
    if in_thread(_is_there, path, file):
        meter.add(file.size_bytes)
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            retried(partial(_get, http, file, unfinished, meter), Retries(STORAGE_ATTEMPTS))
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise DownloadFailed(f"cannot write {path}: {error.strerror}") from error
    return path


def _get(http: httpx.Client, file: Download, path: Path, meter: Meter) -> None:
    with path.open("wb") as target:
        sink = _Sink(target, meter)
        try:
            with http.stream("GET", file.url) as response:
                if response.is_success:
                    for chunk in response.iter_bytes(CHUNK_BYTES):
                        in_thread(sink.add, chunk)
        except HTTPX_ERRORS as error:
            failure: Exception = TryAgain(_failure(file.name, reason(error)))
        else:
            if response.is_success and sink.digest.hexdigest() == file.sha256:
                return
            failure = TryAgain(_failure(file.name, "its bytes are not those that were uploaded"))
            if not response.is_success:
                failure = _refusal(file.name, response.status_code)
    meter.add(-sink.received_bytes)
    raise failure


class _Sink:
    """Writes and hashes what comes."""

    def __init__(self, target: BinaryIO, meter: Meter) -> None:
        self._target, self._meter = target, meter
        self.digest, self.received_bytes = hashlib.sha256(), 0

    def add(self, chunk: bytes) -> None:
        self._target.write(chunk)
        self.digest.update(chunk)
        self.received_bytes += len(chunk)
        self._meter.add(len(chunk))


def _is_there(path: Path, file: Download) -> bool:
    if not path.is_file() or path.stat().st_size != file.size_bytes:
        return False
    with path.open("rb") as found:
        return hashlib.file_digest(found, "sha256").hexdigest() == file.sha256


def _failure(name: str, problem: str) -> DownloadFailed:
    return DownloadFailed(f"the storage did not give {name}: {problem}")


def _refusal(name: str, status: int) -> Exception:
    if status in STORAGE_MAY_WORK_LATER:
        return TryAgain(_failure(name, f"HTTP {status}"))
    return _Refused(f"the storage refused {name}: HTTP {status}")
