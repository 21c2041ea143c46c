# Made from _async/uploads.py by client/generate_sync.py: change that file.
"""Uploads files, part by part, to presigned addresses."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from threading import Event

import httpx

from maas_client._sync.backend import http_client, in_thread, run_all, until
from maas_client._sync.transport import HTTPX_ERRORS, retried
from maas_client.calls import MORE_TIME, reason
from maas_client.errors import NoAnswerInTime, UploadFailed
from maas_client.files import CHUNK_BYTES, LocalFile, Meter, Report, placed
from maas_client.records.transfers import Upload, UploadPart
from maas_client.retries import STORAGE_ATTEMPTS, STORAGE_MAY_WORK_LATER, Retries, TryAgain
from maas_client.settings import Route

PARALLEL = 4
MAX_SAID_BYTES = 10_000  # of an answer of the storage


def send(
    uploads: Sequence[Upload], files: Sequence[LocalFile], report: Report | None, deadline: float | None = None
) -> None:
    """Sends every part, a few at a time. Raises UploadFailed, NoAnswerInTime, once all parts have stopped."""
    parts = placed(uploads, files)
    if not parts:
        return
    stop = Event()
    sender = _Sender(Meter("uploading", sum(part.size_bytes for _, part in parts), report), stop, deadline)
    # Without the API's key: these addresses carry their own permission, and belong to S3.
    with http_client(Route.to(parts[0][1].url)) as http:
        run_all([partial(sender.send, http, file, part) for file, part in parts], PARALLEL, stop)


class _Sender:
    def __init__(self, meter: Meter, stop: Event, deadline: float | None) -> None:
        self._meter, self._stop, self._deadline = meter, stop, deadline

    def send(self, http: httpx.Client, file: LocalFile, part: UploadPart) -> None:
        try:
            retried(partial(self._attempt, http, file, part), Retries(STORAGE_ATTEMPTS, self._deadline))
        except OSError as error:
            raise UploadFailed(f"cannot read {file.path}: {error.strerror}") from error

    def _attempt(self, http: httpx.Client, file: LocalFile, part: UploadPart) -> None:
        headers = httpx.Headers(part.headers)
        headers["content-length"] = str(part.size_bytes)  # else httpx would send it chunked, which S3 refuses
        body = _PartBody(file, part, self._meter, self._stop)
        try:
            with (
                until(self._deadline),
                http.stream(part.method, part.url, headers=headers, content=body) as response,
            ):
                said = _beginning(response)
        except HTTPX_ERRORS as error:
            if self._deadline is not None and time.monotonic() >= self._deadline:
                raise NoAnswerInTime(part.url.partition("?")[0], reason(error), MORE_TIME) from error
            problem, may_work_later = reason(error), True
        else:
            if response.is_success:
                return
            problem = f"HTTP {response.status_code} {said[:300]}".strip()
            may_work_later = response.status_code in STORAGE_MAY_WORK_LATER or "RequestTimeout" in said
        self._meter.add(-body.sent_bytes)
        failure = UploadFailed(f"the storage did not take {file.name}: {problem}. Upload it again")
        raise TryAgain(failure) if may_work_later and not self._stop.is_set() else failure


def _beginning(response: httpx.Response) -> str:
    """What the storage says, as UTF-8 whatever it calls it; no more than an error takes."""
    said = bytearray()
    for piece in response.iter_raw():
        said += piece
        if len(said) > MAX_SAID_BYTES:
            break
    return said[:MAX_SAID_BYTES].decode("utf-8", "replace")


class _PartBody:
    """The bytes of one part, read while they are sent."""

    def __init__(self, file: LocalFile, part: UploadPart, meter: Meter, stop: Event) -> None:
        self._file, self._part, self._meter, self._stop = file, part, meter, stop
        self.sent_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        with self._file.open() as file:
            file.seek(self._part.offset)
            while (left := self._part.size_bytes - self.sent_bytes) > 0:
                if self._stop.is_set():
                    raise UploadFailed("the upload was given up")
                chunk = in_thread(file.read, min(left, CHUNK_BYTES))
                if not chunk:
                    raise UploadFailed(f"{self._file.name} became shorter while it was uploaded. Upload it again")
                yield chunk
                self.sent_bytes += len(chunk)
                self._meter.add(len(chunk))
