"""Files on their way to and from storage, as frozen dataclasses."""

from dataclasses import dataclass
from typing import Literal

Transfer = Literal["hashing", "uploading", "downloading"]
Stage = Transfer | Literal["checking", "checking digests", "loading", "smoke run", "preparing", "quantizing"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a version: its path below the folder that was pushed, its size and its SHA-256 in hexadecimal.

    >>> maas.versions.get("digits", 1).files[0].name
    'model.onnx'
    """

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UploadPart:
    """Bytes [offset, offset + size_bytes) of a file go to `url` with exactly `headers`."""

    url: str
    method: str
    headers: dict[str, str]
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    """Where the parts of a file go."""

    name: str
    parts: tuple[UploadPart, ...]


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a version; `url` works for an hour, for whoever has it.

    >>> maas.versions.files("digits", 1)[0].size_bytes
    4
    """

    name: str
    size_bytes: int
    sha256: str
    url: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a push or a download is. From "checking" on the server works on the version, and both counts are 0.

    >>> stages = []
    >>> _ = maas.push("model.onnx", "digits", progress=lambda progress: stages.append(progress.stage))
    >>> {"hashing", "uploading", "checking"} <= set(stages)
    True
    """

    stage: Stage
    done_bytes: int
    total_bytes: int
