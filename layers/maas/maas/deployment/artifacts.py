"""Files of a version: their keys in the bucket and their copies on a function's disk."""

import hashlib
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from maas.aws.s3_reader import S3Reader
from maas.deployment.variants import MODEL_NAME
from maas.errors import ArtifactCorrupt, InsufficientStorage
from maas.names import version_number
from maas.records import ModelFile, ModelVersion, Quantized, Variant


def source_key(model: str, number: int, name: str) -> str:
    return f"models/{model}/{number}/source/{name}"


def commit_mark_key(model: str, number: int) -> str:
    """The object that is written once all others are uploaded; its event starts the deployment."""
    return source_key(model, number, "manifest.json")


def version_of_commit_mark(key: str) -> tuple[str, int] | None:
    """The model and version number of a commit mark; None for any other key."""
    parts = key.split("/")
    if len(parts) != 5 or parts[0] != "models" or parts[3:] != ["source", "manifest.json"]:
        return None
    number = version_number(parts[2])
    return None if number is None else (parts[1], number)


def file_digest(path: Path) -> str:
    """SHA-256, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepared_key(model: str, number: int, variant: str, name: str) -> str:
    return f"models/{model}/{number}/prepared/{variant}/{name}"


def fetch(
    reader: S3Reader, files: Sequence[ModelFile], key_of: Callable[[str], str], folder: Path
) -> tuple[ModelFile, ...]:
    """Download files into `folder`; returns them with the S3 versions that were read.

    Raises NotFound for a missing object, ArtifactCorrupt for bytes with another digest than declared.
    """
    fetched = []
    for file in files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        found = reader.download(key_of(file.name), path, file.size_bytes, file.s3_version)
        if found.sha256 != file.sha256:
            raise ArtifactCorrupt(file.name, found.sha256, file.sha256)
        fetched.append(replace(file, s3_version=found.s3_version))
    return tuple(fetched)


def fetch_source(
    reader: S3Reader, version: ModelVersion, files: Sequence[ModelFile], folder: Path
) -> tuple[ModelFile, ...]:
    """`fetch` for the files that were uploaded with the version."""
    return fetch(reader, files, partial(source_key, version.model, version.number), folder)


class LocalModel(NamedTuple):
    """A model file with its external data beside it. A `prepared` one runs only on this onnxruntime and CPU."""

    path: Path
    prepared: bool


class LocalArtifacts:
    """Files of READY versions on this function's disk: at most `budget_bytes`, the least recently used deleted first.

    A folder is named by the digests of its files. It is renamed into place once complete, so it is never partial.
    """

    def __init__(self, reader: S3Reader, root: Path, budget_bytes: int) -> None:
        self._reader, self._root, self._budget_bytes = reader, root, budget_bytes
        self._lock = threading.Lock()
        # Count what an earlier process of the same environment left.
        self._sizes = OrderedDict((folder, _size_bytes(folder)) for folder in sorted(root.glob("*")))

    def model(self, version: ModelVersion, form: Variant | Quantized | None = None) -> LocalModel:
        """The version in this form if the form has files, else its source; downloaded if it is not on the disk.

        Raises InsufficientStorage if it exceeds the budget, and what `fetch` raises.
        """
        if form is None or not form.files:
            folder = self._folder(version.served_files, lambda partial: self._fetch_source(version, partial))
            return LocalModel(folder / version.model_file.name, prepared=False)
        folder = self._folder(
            (*form.files, *version.side_files), lambda partial: self._fetch_form(version, form, partial)
        )
        return LocalModel(folder / MODEL_NAME, prepared=isinstance(form, Variant))

    def _fetch_source(self, version: ModelVersion, folder: Path) -> None:
        fetch_source(self._reader, version, version.served_files, folder)

    def _fetch_form(self, version: ModelVersion, form: Variant | Quantized, folder: Path) -> None:
        name = form.key if isinstance(form, Variant) else form.scheme
        fetch(self._reader, form.files, partial(prepared_key, version.model, version.number, name), folder)
        fetch_source(self._reader, version, version.side_files, folder)

    def _folder(self, files: Sequence[ModelFile], download: Callable[[Path], None]) -> Path:
        folder = self._root / content_digest(files)[:32]
        size_bytes = sum(file.size_bytes for file in files)
        with self._lock:
            self._make_room(size_bytes, folder)
            self._sizes[folder] = size_bytes
            self._sizes.move_to_end(folder)
        if not folder.exists():
            self._download(download, folder)
        return folder

    def _make_room(self, needed_bytes: int, keep: Path) -> None:
        if needed_bytes > self._budget_bytes:
            raise InsufficientStorage(needed_bytes, self._budget_bytes)
        others = [folder for folder in self._sizes if folder != keep]
        while others and sum(self._sizes[folder] for folder in others) + needed_bytes > self._budget_bytes:
            oldest = others.pop(0)
            del self._sizes[oldest]
            shutil.rmtree(oldest, ignore_errors=True)

    def _download(self, download: Callable[[Path], None], folder: Path) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=self._root, suffix=".partial"))
        try:
            download(partial)
            partial.rename(folder)
        except OSError:
            if not folder.exists():  # else another thread put the same bytes there
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def content_digest(files: Sequence[ModelFile]) -> str:
    """One digest of all names and digests; hex."""
    return hashlib.sha256("".join(f"{file.name}\0{file.sha256}\0" for file in files).encode()).hexdigest()


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
