"""Where a version's files are: their keys in the bucket, and the copies that a function keeps on its disk."""

import hashlib
import shutil
import tempfile
import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from maas.aws.s3_reader import S3Reader
from maas.errors import ArtifactCorrupt, InsufficientStorage
from maas.records import ModelFile, ModelVersion


def source_key(model: str, number: int, name: str) -> str:
    return f"models/{model}/{number}/source/{name}"


def commit_mark_key(model: str, number: int) -> str:
    """The object whose arrival says that all others are there (docs/architecture.md, "Deployment")."""
    return source_key(model, number, "manifest.json")


def version_of_commit_mark(key: str) -> tuple[str, int] | None:
    """The model and number that a commit mark is of, or None if the key is none."""
    parts = key.split("/")
    if len(parts) == 5 and parts[0] == "models" and parts[2].isdigit() and parts[3:] == ["source", "manifest.json"]:
        return parts[1], int(parts[2])
    return None


def fetch(reader: S3Reader, version: ModelVersion, folder: Path) -> tuple[ModelFile, ...]:
    """Download all files of a version into `folder`; returns them with the object versions that were read.

    Raises NotFound for a missing object, ArtifactCorrupt for bytes that do not have the declared digest.
    """
    fetched = []
    for file in version.files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        found = reader.download(source_key(version.model, version.number, file.name), path, file.s3_version)
        if found.sha256 != file.sha256:
            raise ArtifactCorrupt(file.name, found.sha256, file.sha256)
        fetched.append(replace(file, s3_version=found.s3_version))
    return tuple(fetched)


class LocalArtifacts:
    """Files of READY versions on this function's disk, at most `budget_bytes` of them; least recently used out first.

    A version's folder is named by its digests and appears whole or not at all: it is renamed into place.
    """

    def __init__(self, reader: S3Reader, root: Path, budget_bytes: int) -> None:
        self._reader, self._root, self._budget_bytes = reader, root, budget_bytes
        self._lock = threading.Lock()
        # What an earlier process of the same environment left, so that it counts too.
        self._sizes = OrderedDict((folder, _size_bytes(folder)) for folder in sorted(root.glob("*")))

    def model_path(self, version: ModelVersion) -> Path:
        """The path of the version's .onnx file, with its external data beside it; downloaded if it is not there.

        Raises InsufficientStorage if it can never fit, and what `fetch` raises.
        """
        folder = self._root / _content_name(version)
        with self._lock:
            self._make_room(version.size_bytes, folder)
            self._sizes[folder] = version.size_bytes
            self._sizes.move_to_end(folder)
        if not folder.exists():
            self._download(version, folder)
        return folder / version.model_file.name

    def _make_room(self, needed_bytes: int, keep: Path) -> None:
        if needed_bytes > self._budget_bytes:
            raise InsufficientStorage(needed_bytes, self._budget_bytes)
        others = [folder for folder in self._sizes if folder != keep]
        while others and sum(self._sizes[folder] for folder in others) + needed_bytes > self._budget_bytes:
            oldest = others.pop(0)
            del self._sizes[oldest]
            shutil.rmtree(oldest, ignore_errors=True)

    def _download(self, version: ModelVersion, folder: Path) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=self._root, suffix=".partial"))
        try:
            fetch(self._reader, version, partial)
            partial.rename(folder)
        except OSError:
            if not folder.exists():  # else another thread was as fast, with the same bytes
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _content_name(version: ModelVersion) -> str:
    digests = "".join(f"{file.name}\0{file.sha256}\0" for file in version.files)
    return hashlib.sha256(digests.encode()).hexdigest()[:32]


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
