"""A request to S3 and its answer; what is common to all operations."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import IO, Any
from urllib.parse import parse_qsl, unquote

from maas_local.s3 import bodies, xml
from maas_local.s3.blobs import Blobs
from maas_local.s3.errors import S3Error
from maas_local.s3.index import Index
from maas_local.s3.stored import StoredBucket, StoredVersion

MAX_DOCUMENT_BYTES = 16 << 20  # of XML
# What an object keeps of the headers that it was sent with.
_KEPT = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-storage-class",
)
Notify = Callable[[str, str, StoredVersion], None]  # reason, bucket, version


@dataclass(frozen=True, slots=True)
class Request:
    """`query` and `headers` have one value a name; names of headers are in lower case."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    stream: IO[bytes]

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> "Request":
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        }
        path = str(environ.get("RAW_URI") or environ["PATH_INFO"]).partition("?")[0]
        bucket, _, key = unquote(path.removeprefix("/")).partition("/")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        # A presigned address carries some headers as parameters.
        signed = {name.lower(): value for name, value in query.items() if name.lower().startswith("x-amz-")}
        return cls(environ["REQUEST_METHOD"], bucket, key, query, signed | headers, environ["wsgi.input"])

    def pieces(self) -> Iterable[bytes]:
        """The body, compared with its digests."""
        return bodies.checked(bodies.pieces(self.stream, self.headers), self.headers)

    def document(self) -> bytes:
        """The body of a request that is XML. Raises MalformedXML if it is too long."""
        body = b""
        for piece in self.pieces():
            body += piece
            if len(body) > MAX_DOCUMENT_BYTES:
                raise S3Error("MalformedXML", f"the body has over {MAX_DOCUMENT_BYTES:,} bytes")
        return body

    def kept_headers(self) -> dict[str, str]:
        """What the object keeps of the request's headers."""
        kept = {
            name: value
            for name, value in self.headers.items()
            if name in _KEPT or name.startswith(("x-amz-meta-", "x-amz-checksum-"))
        }
        kept.pop("x-amz-checksum-algorithm", None)
        coding = ",".join(one for one in kept.pop("content-encoding", "").split(",") if one.strip() != "aws-chunked")
        return kept | ({"content-encoding": coding} if coding else {})

    def number(self, name: str, default: int, most: int) -> int:
        """A parameter. Raises InvalidArgument."""
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdigit()):
            raise S3Error("InvalidArgument", f"{name}: got {text!r:.100}, expected a number")
        return min(int(text), most)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()

    @classmethod
    def xml(cls, name: str, children: Iterable[xml.Child], headers: Mapping[str, str] | None = None) -> "Answer":
        body = xml.document(name, children)
        described = {"content-type": "application/xml", "content-length": str(len(body))}
        return cls(200, described | dict(headers or {}), [body])


@dataclass(frozen=True, slots=True)
class Storage:
    """What all operations work on."""

    index: Index
    blobs: Blobs
    notify: Notify

    def bucket(self, request: Request) -> StoredBucket:
        """Raises NoSuchBucket."""
        return self.index.bucket(request.bucket)

    def created(self, reason: str, bucket: StoredBucket, version: StoredVersion) -> None:
        """Tell that there is a new object, if the bucket is to tell."""
        if bucket.events:
            self.notify(reason, bucket.name, version)

    def version(self, bucket: str, key: str, version_id: str | None) -> StoredVersion:
        """An object's version, or the current one. Raises NoSuchKey, NoSuchVersion, MethodNotAllowed for a marker."""
        if version_id is None:
            found = self.index.current(bucket, key)
            if found is None or found.is_marker:
                headers = {"x-amz-delete-marker": "true"} if found else {}
                raise S3Error("NoSuchKey", f"there is no object {key}", headers)
            return found
        found = self.index.version(bucket, key, version_id)
        if found is None:
            raise S3Error("NoSuchVersion", f"there is no version {version_id:.100} of {key}")
        if found.is_marker:
            raise S3Error("MethodNotAllowed", "this version is a delete marker", {"x-amz-delete-marker": "true"})
        return found


def version_header(bucket: StoredBucket, version: StoredVersion) -> dict[str, str]:
    return {"x-amz-version-id": version.id} if bucket.versioned else {}


def http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)
