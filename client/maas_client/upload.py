"""Files on their way into a version: found, hashed, sent straight to storage part by part."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from maas_client.errors import InvalidInput, UploadFailed
from maas_client.model_records import ModelFile, Progress, Upload, UploadPart
from maas_client.transport import HTTPX_ERRORS, http_client, pause, reason

ATTEMPTS = 6
PARALLEL = 4
CHUNK_BYTES = 1 << 20
WORTH_RETRYING = {408, 429, 500, 502, 503, 504}

Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """`name` is what the version will know it by: its path below the folder that is pushed."""

    path: Path
    name: str
    size_bytes: int


def find_files(path: Path) -> list[LocalFile]:
    """The one .onnx file that `path` is or holds, and what lies with it but hidden files. Raises InvalidInput."""
    if path.is_dir():
        found = [one for one in sorted(path.rglob("*")) if one.is_file() and not _hidden(one.relative_to(path))]
        files = [LocalFile(one, one.relative_to(path).as_posix(), one.stat().st_size) for one in found]
    elif path.is_file():
        files = [LocalFile(path, path.name, path.stat().st_size)]
    else:
        raise InvalidInput(f"there is no file or folder {path}")
    empty = [file.name for file in files if file.size_bytes == 0]
    if empty:
        raise InvalidInput(f"{empty[0]} of {path} is empty: export the model again, or take the file away")
    models = [file.name for file in files if file.name.endswith(".onnx")]
    if len(models) == 1:
        return files
    if models:
        raise InvalidInput(f"{path} holds {len(models)} .onnx files ({', '.join(models[:3])}): push one at a time")
    if path.is_dir():
        raise InvalidInput(f"{path} holds no .onnx file: export the model to ONNX first")
    raise InvalidInput(f"{path} is not an .onnx file: export the model to ONNX first")


def find_golden(folder: Path) -> list[LocalFile]:
    """Test vectors for a version: *.json, or ONNX's test_data_set_*/*.pb. Raises InvalidInput."""
    found = [one for one in sorted(folder.rglob("*")) if one.is_file() and one.suffix in (".json", ".pb")]
    if not found:
        raise InvalidInput(f"{folder} holds no test vectors: expected *.json, or test_data_set_*/input_0.pb and so on")
    return [LocalFile(one, f"golden/{one.relative_to(folder).as_posix()}", one.stat().st_size) for one in found]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def declare(files: Sequence[LocalFile], report: Report | None) -> list[ModelFile]:
    """The files with their SHA-256, read once in chunks. Raises InvalidInput for a file that cannot be read."""
    meter = Meter("hashing", sum(file.size_bytes for file in files), report)
    return [ModelFile(file.name, file.size_bytes, _sha256(file.path, meter)) for file in files]


def _sha256(path: Path, meter: "Meter") -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                meter.add(len(chunk))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    return digest.hexdigest()


def send(uploads: Sequence[Upload], files: Sequence[LocalFile], report: Report | None) -> None:
    """Put every part where it belongs, a few at a time. Raises UploadFailed; then no part is on its way any more."""
    paths = {file.name: file.path for file in files}
    parts = [(paths[upload.name], part) for upload in uploads for part in upload.parts]
    if not parts:
        return
    meter = Meter("uploading", sum(part.size_bytes for _, part in parts), report)
    stop = threading.Event()
    # Without the API's key: these addresses carry their own permission, and belong to S3.
    with http_client(parts[0][1].url) as http, ThreadPoolExecutor(PARALLEL) as pool:
        try:
            for sent in as_completed([pool.submit(_send_part, http, path, part, meter, stop) for path, part in parts]):
                sent.result()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _send_part(http: httpx.Client, path: Path, part: UploadPart, meter: "Meter", stop: threading.Event) -> None:
    headers = httpx.Headers(part.headers)
    headers["content-length"] = str(part.size_bytes)  # else httpx would send it chunked, which S3 refuses
    for attempt in range(1, ATTEMPTS + 1):
        body = _PartBody(path, part, meter, stop)
        try:
            response = http.request(part.method, part.url, headers=headers, content=body)
        except HTTPX_ERRORS as error:
            problem = reason(error)
        else:
            if response.is_success:
                return
            problem = f"HTTP {response.status_code} {response.text[:300]}".strip()
            if response.status_code not in WORTH_RETRYING and "RequestTimeout" not in response.text:
                raise UploadFailed(f"the storage refused {path.name}: {problem}. Upload it again")
        meter.add(-body.sent_bytes)
        if attempt < ATTEMPTS and not stop.is_set():
            pause(attempt)
    raise UploadFailed(f"the storage did not take {path.name} in {ATTEMPTS} attempts ({problem}). Upload it again")


class _PartBody:
    """The bytes of one part, read while they are sent."""

    def __init__(self, path: Path, part: UploadPart, meter: "Meter", stop: threading.Event) -> None:
        self._path, self._part, self._meter, self._stop = path, part, meter, stop
        self.sent_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(self._part.offset)
            while (left := self._part.size_bytes - self.sent_bytes) > 0:
                if self._stop.is_set():
                    raise UploadFailed("the upload was given up")
                chunk = file.read(min(left, CHUNK_BYTES))
                if not chunk:
                    raise UploadFailed(f"{self._path.name} became shorter while it was uploaded. Upload it again")
                yield chunk
                self.sent_bytes += len(chunk)
                self._meter.add(len(chunk))


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
