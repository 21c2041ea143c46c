# Made from _async/downloads.py by client/generate_sync.py: change that file.
"""Downloads the files of a version or a job: complete, with the right digest, or not at all."""

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import httpx

from maas_client._sync.backend import http_client, in_thread, until
from maas_client._sync.transport import HTTPX_ERRORS, retried
from maas_client.calls import MORE_TIME, reason
from maas_client.errors import DownloadFailed, NoAnswerInTime
from maas_client.files import CHUNK_BYTES, Meter, Report
from maas_client.name_rules import is_address
from maas_client.records.transfers import Download
from maas_client.retries import STORAGE_ATTEMPTS, STORAGE_MAY_WORK_LATER, Retries, TryAgain
from maas_client.settings import Route

PLAIN = {"accept-encoding": "identity"}  # a digest is of the bytes as they are stored
MAX_CONTENT_BYTES = 4 << 30

Fresh = Callable[[], Mapping[str, str]]


class _Refused(DownloadFailed):
    """For example because the address has expired."""


def fetch(files: Sequence[Download], folder: Path, report: Report | None, fresh: Fresh | None = None) -> list[Path]:
    """Downloads each file into `folder`, unless it is there with the right digest. Raises DownloadFailed.

    `fresh` gives new addresses by name, for when the storage refuses those of `files`.
    """
    meter = Meter("downloading", sum(file.size_bytes for file in files), report)
    urls: Mapping[str, str] = {}
    paths: list[Path] = []
    _check_address(files[0].url, files[0].name)
    with http_client(Route.to(files[0].url)) as http:
        for file in files:
            if in_thread(_is_one_of, folder / file.name, paths):
                raise DownloadFailed(f"{file.name!r} is the same file here as another name of the download")
            try:
                paths.append(_fetch(http, replace(file, url=urls.get(file.name, file.url)), folder, meter))
            except _Refused:
                if fresh is None:
                    raise
                urls = fresh()
                paths.append(_fetch(http, replace(file, url=urls.get(file.name, file.url)), folder, meter))
    return paths


def content(url: str, name: str, deadline: float | None = None) -> bytes:
    """The object at a presigned address. Raises DownloadFailed, NoAnswerInTime."""

    def attempt() -> bytes:
        received = bytearray()
        try:
            with until(deadline), http.stream("GET", url, headers=PLAIN) as response:
                _check(response, name)
                for chunk in response.iter_raw(CHUNK_BYTES):
                    received += chunk
                    if len(received) > MAX_CONTENT_BYTES:
                        raise DownloadFailed(f"{name} is larger than {MAX_CONTENT_BYTES:,} bytes")
        except HTTPX_ERRORS as error:
            if deadline is not None and time.monotonic() >= deadline:
                raise NoAnswerInTime(url.partition("?")[0], reason(error), MORE_TIME) from error
            raise _failure(name, error) from error
        return bytes(received)

    _check_address(url, name)
    with http_client(Route.to(url)) as http:
        return retried(attempt, Retries(STORAGE_ATTEMPTS, deadline))


def _fetch(http: httpx.Client, file: Download, folder: Path, meter: Meter) -> Path:
    _check_address(file.url, file.name)
    path = (folder / file.name).resolve()
    if not path.is_relative_to(folder.resolve()):  # through a symbolic link
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
            with http.stream("GET", file.url, headers=PLAIN) as response:
                _check(response, file.name)
                for chunk in response.iter_raw(CHUNK_BYTES):
                    if sink.received_bytes + len(chunk) > file.size_bytes:
                        break
                    in_thread(sink.add, chunk)
                else:
                    if (sink.received_bytes, sink.digest.hexdigest()) == (file.size_bytes, file.sha256):
                        return
            failure: Exception = TryAgain(_failed(file.name, "its bytes are not those that were uploaded"))
        except HTTPX_ERRORS as error:
            failure = _failure(file.name, error)
        except (TryAgain, DownloadFailed) as error:
            failure = error
    meter.add(-sink.received_bytes)
    raise failure


class _Sink:
    """Writes and hashes chunks."""

    def __init__(self, target: BinaryIO, meter: Meter) -> None:
        self._target, self._meter = target, meter
        self.digest, self.received_bytes = hashlib.sha256(), 0

    def add(self, chunk: bytes) -> None:
        self._target.write(chunk)
        self.digest.update(chunk)
        self.received_bytes += len(chunk)
        self._meter.add(len(chunk))


def _is_one_of(path: Path, paths: Sequence[Path]) -> bool:
    """Whether it is one of these files: file systems may ignore case, or know é in one form only."""
    return path.exists() and any(path.samefile(one) for one in paths)


def _is_there(path: Path, file: Download) -> bool:
    if not path.is_file() or path.stat().st_size != file.size_bytes:
        return False
    with path.open("rb") as found:
        return hashlib.file_digest(found, "sha256").hexdigest() == file.sha256


def _check_address(url: str, name: str) -> None:
    if not is_address(url):
        raise _failed(name, f"no address of a file: {url!r:.200}")


def _check(response: httpx.Response, name: str) -> None:
    """Raises _Refused, DownloadFailed; TryAgain for a status that is worth a retry."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _failed(name, "it comes with a content encoding, in which files are not kept")
    if response.status_code == 200:
        return
    if response.status_code in STORAGE_MAY_WORK_LATER:
        raise TryAgain(_failed(name, f"HTTP {response.status_code}"))
    raise _Refused(f"the storage refused {name}: HTTP {response.status_code}")


def _failure(name: str, error: Exception) -> Exception:
    is_final = isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL)
    failed = _failed(name, reason(error))
    return failed if is_final else TryAgain(failed)


def _failed(name: str, problem: str) -> DownloadFailed:
    return DownloadFailed(f"the storage did not give {name}: {problem}")
