"""What is stored: buckets, versions in the order of their keys, unfinished uploads. Each change is one transaction."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from maas_local.s3.blobs import Blob
from maas_local.s3.bucket_index import Buckets
from maas_local.s3.errors import S3Error
from maas_local.s3.stored import StoredBucket, StoredPart, StoredUpload, StoredVersion

LAST = "\U0010ffff"  # no key with a prefix is beyond the prefix and this
UNVERSIONED = "null"
_COLUMNS = "key, seq, id, is_latest, is_marker, size_bytes, etag, modified, headers, blobs"
Condition = Callable[[StoredVersion | None], None]  # raises for a current version that the request does not accept


class Index(Buckets):
    """Versions and uploads, and the buckets that they are in."""

    # -------------------------------------------------------------- versions

    def current(self, bucket: str, key: str) -> StoredVersion | None:
        """The newest version, which may be a delete marker."""
        sql = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND is_latest"  # noqa: S608
        return next((_version(row) for row in self._read(sql, bucket, key)), None)

    def version(self, bucket: str, key: str, version_id: str) -> StoredVersion | None:
        sql = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND id = ?"  # noqa: S608
        return next((_version(row) for row in self._read(sql, bucket, key, version_id)), None)

    def put(
        self,
        bucket: StoredBucket,
        key: str,
        *,
        etag: str = "",
        headers: Mapping[str, str] | None = None,
        blobs: tuple[Blob, ...] = (),
        is_marker: bool = False,
        condition: Condition | None = None,
        upload: str | None = None,
    ) -> tuple[StoredVersion, list[Blob]]:
        """Store the object's newest version, and forget the upload that it came from.

        Returns it with the blobs that nothing holds now. Raises what `condition` raises, NoSuchUpload.
        """
        with self._changing():
            sql = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND is_latest"  # noqa: S608
            found = self._database.execute(sql, (bucket.name, key)).fetchone()
            before = _version(found) if found else None
            if condition:
                condition(before)
            if upload:
                self._forget(upload)
            replaced = self._replaced(bucket, key)
            version = StoredVersion(
                key,
                before.seq + 1 if before else 1,
                uuid.uuid4().hex if bucket.versioned else UNVERSIONED,
                True,
                is_marker,
                sum(blob.size_bytes for blob in blobs),
                etag,
                time.time(),
                headers or {},
                blobs,
            )
            self._database.execute(
                "UPDATE versions SET is_latest = 0 WHERE bucket = ? AND key = ? AND is_latest", (bucket.name, key)
            )
            self._insert(bucket.name, version)
        return version, replaced

    def remove(self, bucket: str, key: str, version_id: str) -> tuple[StoredVersion | None, list[Blob]]:
        """Delete one version for good; returns it, if it was there, with the blobs that nothing holds now."""
        with self._changing():
            sql = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND id = ?"  # noqa: S608
            row = self._database.execute(sql, (bucket, key, version_id)).fetchone()
            if row is None:
                return None, []
            gone = _version(row)
            self._database.execute(
                "DELETE FROM versions WHERE bucket = ? AND key = ? AND seq = ?", (bucket, key, gone.seq)
            )
            if gone.is_latest:
                self._database.execute(
                    "UPDATE versions SET is_latest = 1 WHERE bucket = ? AND key = ? AND seq = "
                    "(SELECT MAX(seq) FROM versions WHERE bucket = ? AND key = ?)",
                    (bucket, key, bucket, key),
                )
        return gone, list(gone.blobs)

    def objects(self, bucket: str, prefix: str, after: str, limit: int) -> list[StoredVersion]:
        """Current objects with the prefix whose keys are beyond `after`, in the order of their keys."""
        sql = (
            f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND is_latest AND NOT is_marker "  # noqa: S608
            "AND key > ? AND key >= ? AND key <= ? ORDER BY key LIMIT ?"
        )
        return [_version(row) for row in self._read(sql, bucket, after, prefix, prefix + LAST, limit)]

    def versions(
        self, bucket: str, prefix: str, after: str, after_version: str | None, limit: int
    ) -> list[StoredVersion]:
        """Versions and markers beyond a key, or beyond a version of this key: keys in order, the newest first."""
        found: list[StoredVersion] = []
        last = self.version(bucket, after, after_version) if after_version else None
        if last:
            sql = f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key = ? AND seq < ? ORDER BY seq DESC LIMIT ?"  # noqa: S608
            found = [_version(row) for row in self._read(sql, bucket, after, last.seq, limit)]
        sql = (
            f"SELECT {_COLUMNS} FROM versions WHERE bucket = ? AND key > ? AND key >= ? AND key <= ? "  # noqa: S608
            "ORDER BY key, seq DESC LIMIT ?"
        )
        rows = self._read(sql, bucket, after, prefix, prefix + LAST, limit - len(found))
        return found + [_version(row) for row in rows]

    # --------------------------------------------------------------- uploads

    def start_upload(self, bucket: str, key: str, headers: Mapping[str, str]) -> str:
        upload = uuid.uuid4().hex
        self._write(
            "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)", upload, bucket, key, time.time(), json.dumps(dict(headers))
        )
        return upload

    def upload(self, bucket: str, key: str, upload: str) -> StoredUpload:
        """Raises NoSuchUpload."""
        for found in self.uploads(bucket, key):
            if found.id == upload and found.key == key:
                return found
        raise _no_upload(upload)

    def uploads(self, bucket: str, prefix: str) -> list[StoredUpload]:
        """In the order of their keys."""
        sql = (
            "SELECT id, key, started, headers FROM uploads WHERE bucket = ? AND key >= ? AND key <= ? "
            "ORDER BY key, started"
        )
        rows = self._read(sql, bucket, prefix, prefix + LAST)
        return [StoredUpload(row[0], row[1], row[2], json.loads(row[3])) for row in rows]

    def put_part(self, upload: str, number: int, blob: Blob, etag: str) -> list[Blob]:
        """Store the part; returns the blobs that nothing holds now. Raises NoSuchUpload."""
        with self._changing():
            if not self._database.execute("SELECT 1 FROM uploads WHERE id = ?", (upload,)).fetchone():
                raise _no_upload(upload)
            sql = "SELECT blob, size_bytes FROM parts WHERE upload = ? AND number = ?"
            before = [Blob(*row) for row in self._database.execute(sql, (upload, number))]
            self._database.execute(
                "REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)",
                (upload, number, blob.size_bytes, etag, time.time(), blob.name),
            )
        return before

    def parts(self, upload: str) -> list[StoredPart]:
        sql = "SELECT number, size_bytes, etag, modified, blob FROM parts WHERE upload = ? ORDER BY number"
        return [
            StoredPart(number, size_bytes, etag, modified, Blob(blob, size_bytes))
            for number, size_bytes, etag, modified, blob in self._read(sql, upload)
        ]

    def abort(self, upload: str) -> list[Blob]:
        """Forget the upload; returns the blobs that nothing holds now. Raises NoSuchUpload."""
        parts = self.parts(upload)
        with self._changing():
            self._forget(upload)
        return [part.blob for part in parts]

    def held_blobs(self) -> Iterator[tuple[str, str]]:
        """Names of all blobs that something holds, each with the key that it belongs to."""
        for key, text in self._read("SELECT key, blobs FROM versions"):
            yield from ((name, key) for name, _ in json.loads(text))
        yield from self._read("SELECT blob, key FROM parts JOIN uploads ON uploads.id = parts.upload")

    # --------------------------------------------------------------- private

    def _replaced(self, bucket: StoredBucket, key: str) -> list[Blob]:
        """Without versioning, delete the version `null`, which the next one replaces; returns its blobs."""
        if bucket.versioned:
            return []
        where = "WHERE bucket = ? AND key = ? AND id = ?"
        arguments = (bucket.name, key, UNVERSIONED)
        rows = self._database.execute(f"SELECT blobs FROM versions {where}", arguments).fetchall()  # noqa: S608
        self._database.execute(f"DELETE FROM versions {where}", arguments)  # noqa: S608
        return [Blob(*blob) for (text,) in rows for blob in json.loads(text)]

    def _insert(self, bucket: str, version: StoredVersion) -> None:
        self._database.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                bucket,
                version.key,
                version.seq,
                version.id,
                version.is_latest,
                version.is_marker,
                version.size_bytes,
                version.etag,
                version.modified,
                json.dumps(dict(version.headers)),
                json.dumps(version.blobs),
            ),
        )

    def _forget(self, upload: str) -> None:
        if not self._database.execute("DELETE FROM uploads WHERE id = ?", (upload,)).rowcount:
            raise _no_upload(upload)
        self._database.execute("DELETE FROM parts WHERE upload = ?", (upload,))


def _version(row: tuple[Any, ...]) -> StoredVersion:
    key, seq, version_id, is_latest, is_marker, size_bytes, etag, modified, headers, blobs = row
    found = tuple(Blob(*blob) for blob in json.loads(blobs))
    latest, marker = bool(is_latest), bool(is_marker)
    return StoredVersion(key, seq, version_id, latest, marker, size_bytes, etag, modified, json.loads(headers), found)


def _no_upload(upload: str) -> S3Error:
    return S3Error("NoSuchUpload", f"there is no upload {upload:.100}: it was completed or aborted")
