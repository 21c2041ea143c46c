"""Lists of a bucket: objects (versions 1 and 2 of the operation), versions, unfinished uploads."""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import quote

from maas_local.s3 import xml
from maas_local.s3.errors import S3Error
from maas_local.s3.index import LAST
from maas_local.s3.requests import Answer, Request, Storage
from maas_local.s3.stored import StoredVersion

PAGE = 1000
Fetch = Callable[[str, str | None, int], list[StoredVersion]]  # beyond a key, beyond a version of it, so many


class _Page:
    """Entries in the order of their keys; those that share a prefix up to the delimiter are one."""

    def __init__(self, request: Request, after: str, after_version: str | None, fetch: Fetch) -> None:
        self.prefix, self.delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
        self.most = request.number("max-keys", PAGE, PAGE)
        self.entries: list[StoredVersion] = []
        self.prefixes: list[str] = []
        self.is_truncated, self.last_key, self.last_version = False, after, after_version
        self._fill(fetch)

    def _fill(self, fetch: Fetch) -> None:
        while self.most and not self.is_truncated:
            found = fetch(self.last_key, self.last_version, self.most + 1)
            if not found:
                return
            for version in found:
                shared = self._shared(version.key)
                if shared is not None and shared + LAST == self.last_key:
                    continue
                if len(self.entries) + len(self.prefixes) == self.most:
                    self.is_truncated = True
                    return
                if shared is None:
                    self.entries.append(version)
                    self.last_key, self.last_version = version.key, version.id
                else:
                    self.prefixes.append(shared)
                    self.last_key, self.last_version = shared + LAST, None
                    break  # the keys that share it are passed over by the next query

    def _shared(self, key: str) -> str | None:
        if not self.delimiter:
            return None
        end = key.find(self.delimiter, len(self.prefix))
        return key[: end + len(self.delimiter)] if end >= 0 else None


def objects(storage: Storage, request: Request) -> Answer:
    bucket, is_second = storage.bucket(request).name, request.query.get("list-type") == "2"
    shown, token = _encoding(request), request.query.get("continuation-token")
    after = _untold(token) if token else request.query.get("start-after" if is_second else "marker", "")
    page = _Page(
        request,
        after,
        None,
        lambda key, _, most: storage.index.objects(bucket, request.query.get("prefix", ""), key, most),
    )
    told = _common(request, bucket, page, shown)
    if is_second:
        told += [("KeyCount", len(page.entries) + len(page.prefixes)), ("ContinuationToken", token)]
        told += [("StartAfter", shown(request.query["start-after"]))] if request.query.get("start-after") else []
        told += [("NextContinuationToken", _told(page.last_key))] if page.is_truncated else []
    else:
        told += [("Marker", shown(after))] + ([("NextMarker", shown(page.last_key))] if page.is_truncated else [])
    told += [("Contents", _entry(version, shown)) for version in page.entries]
    return Answer.xml("ListBucketResult", told)


def versions(storage: Storage, request: Request) -> Answer:
    bucket, shown = storage.bucket(request).name, _encoding(request)
    after, after_version = request.query.get("key-marker", ""), request.query.get("version-id-marker") or None

    def fetch(key: str, version: str | None, most: int) -> list[StoredVersion]:
        return storage.index.versions(bucket, request.query.get("prefix", ""), key, version, most)

    page = _Page(request, after, after_version, fetch)
    told = [*_common(request, bucket, page, shown), ("KeyMarker", shown(after)), ("VersionIdMarker", after_version)]
    if page.is_truncated:
        told += [("NextKeyMarker", shown(page.last_key)), ("NextVersionIdMarker", page.last_version)]
    for version in page.entries:
        also = [("VersionId", version.id), ("IsLatest", version.is_latest)]
        told.append(("DeleteMarker" if version.is_marker else "Version", _entry(version, shown) + also))
    return Answer.xml("ListVersionsResult", told)


def uploads(storage: Storage, request: Request) -> Answer:
    bucket, shown = storage.bucket(request).name, _encoding(request)
    found = storage.index.uploads(bucket, request.query.get("prefix", ""))
    told: list[xml.Child] = [("Bucket", bucket), ("IsTruncated", False), ("MaxUploads", PAGE)]
    told += [("EncodingType", request.query.get("encoding-type"))]
    told += [
        ("Upload", [("Key", shown(one.key)), ("UploadId", one.id), ("Initiated", xml.iso(one.started))])
        for one in found
    ]
    return Answer.xml("ListMultipartUploadsResult", told)


def _common(request: Request, bucket: str, page: _Page, shown: Callable[[str], str]) -> list[xml.Child]:
    return [
        ("Name", bucket),
        ("Prefix", shown(page.prefix)),
        ("Delimiter", shown(page.delimiter) or None),
        ("MaxKeys", page.most),
        ("EncodingType", request.query.get("encoding-type")),
        ("IsTruncated", page.is_truncated),
        *(("CommonPrefixes", [("Prefix", shown(one))]) for one in page.prefixes),
    ]


def _entry(version: StoredVersion, shown: Callable[[str], str]) -> list[xml.Child]:
    told: list[xml.Child] = [("Key", shown(version.key)), ("LastModified", xml.iso(version.modified))]
    if version.is_marker:
        return told
    return [*told, ("ETag", f'"{version.etag}"'), ("Size", version.size_bytes), ("StorageClass", "STANDARD")]


def _encoding(request: Request) -> Callable[[str], str]:
    return quote if request.query.get("encoding-type") == "url" else str


def _told(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _untold(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except (binascii.Error, ValueError):
        raise S3Error("InvalidArgument", f"continuation-token: got {token!r:.100}, expected one of a list") from None
