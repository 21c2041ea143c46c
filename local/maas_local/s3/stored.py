"""What the index stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from maas_local.s3.blobs import Blob

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, versioned INTEGER DEFAULT 0, events INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS versions (
    bucket TEXT, key TEXT, seq INTEGER, id TEXT, is_latest INTEGER, is_marker INTEGER, size_bytes INTEGER,
    etag TEXT, modified REAL, headers TEXT, blobs TEXT,
    PRIMARY KEY (bucket, key, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS latest ON versions (bucket, key) WHERE is_latest;
CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, bucket TEXT, key TEXT, started REAL, headers TEXT);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT, number INTEGER, size_bytes INTEGER, etag TEXT, modified REAL, blob TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class StoredBucket:
    name: str
    versioned: bool
    events: bool


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """`modified` in seconds since the epoch; `headers` were sent with the object."""

    key: str
    seq: int
    id: str
    is_latest: bool
    is_marker: bool
    size_bytes: int
    etag: str
    modified: float
    headers: Mapping[str, str] = field(default_factory=dict)
    blobs: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredPart:
    number: int
    size_bytes: int
    etag: str
    modified: float
    blob: Blob


@dataclass(frozen=True, slots=True)
class StoredUpload:
    id: str
    key: str
    started: float
    headers: Mapping[str, str]
