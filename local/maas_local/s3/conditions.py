"""Conditions of a request on the object's current version, and its range."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from maas_local.s3.errors import S3Error
from maas_local.s3.index import Condition
from maas_local.s3.stored import StoredVersion

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


def of_write(headers: Mapping[str, str]) -> Condition:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""

    def check(current: StoredVersion | None) -> None:
        is_there = current is not None and not current.is_marker
        if headers.get("if-none-match") == "*" and is_there:
            raise S3Error("PreconditionFailed", "If-None-Match: there is an object already")
        wanted = headers.get("if-match")
        if wanted is not None:
            if current is None or current.is_marker:
                raise S3Error("NoSuchKey", "If-Match: there is no object")
            if not _matches(wanted, current):
                raise S3Error("PreconditionFailed", "If-Match: the object has another ETag")

    return check


def is_unchanged(headers: Mapping[str, str], found: StoredVersion) -> bool:
    """Whether a read is answered with 304. Raises PreconditionFailed."""
    if "if-match" in headers:
        if not _matches(headers["if-match"], found):
            raise S3Error("PreconditionFailed", "If-Match: the object has another ETag")
    elif (since := _seconds(headers.get("if-unmodified-since"))) is not None and int(found.modified) > since:
        raise S3Error("PreconditionFailed", "If-Unmodified-Since: the object changed later")
    if "if-none-match" in headers:
        return _matches(headers["if-none-match"], found)
    since = _seconds(headers.get("if-modified-since"))
    return since is not None and int(found.modified) <= since


def range_of(headers: Mapping[str, str], size_bytes: int) -> tuple[int, int] | None:
    """Bytes [start, end) that the request asks for; None for all. Raises InvalidRange."""
    asked = _RANGE.fullmatch(headers.get("range", "").strip())
    if not asked or asked[0] == "bytes=-":
        return None  # several ranges, too: S3 answers them with the whole object
    if not asked[1]:
        start, end = max(0, size_bytes - int(asked[2])), size_bytes
    else:
        start, end = int(asked[1]), min(size_bytes, int(asked[2]) + 1 if asked[2] else size_bytes)
    if asked[1] and asked[2] and int(asked[1]) > int(asked[2]):
        return None
    if start >= size_bytes or start >= end:
        raise S3Error(
            "InvalidRange", f"got {asked[0]} of {size_bytes:,} bytes", {"content-range": f"bytes */{size_bytes}"}
        )
    return start, end


def _matches(wanted: str, version: StoredVersion) -> bool:
    return wanted.strip() == "*" or any(one.strip().strip('"') == version.etag for one in wanted.split(","))


def _seconds(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
