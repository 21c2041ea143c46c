"""S3 as a WSGI application: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html

What the functions of template.yaml, boto3 and the AWS CLI call; anything else is answered with 501. Signatures are not
checked: the local stack listens on this machine alone.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from maas_local.failures import Unusable, tell
from maas_local.s3 import buckets, listings, multipart, objects, xml
from maas_local.s3.blobs import Blobs
from maas_local.s3.errors import S3Error
from maas_local.s3.index import Index
from maas_local.s3.requests import Answer, Notify, Request, Storage
from maas_local.sqlite import remedy

Operation = Callable[[Storage, Request], Answer]
# By method, whether there is a key, and a parameter that chooses the operation; the first that fits.
_OPERATIONS: list[tuple[str, bool, str | None, Operation]] = [
    ("GET", False, "versions", listings.versions),
    ("GET", False, "uploads", listings.uploads),
    ("GET", False, "versioning", buckets.versioning),
    ("GET", False, "location", buckets.location),
    ("GET", False, "notification", buckets.notification),
    ("GET", False, None, listings.objects),
    ("HEAD", False, None, buckets.head),
    ("PUT", False, "versioning", buckets.put_versioning),
    ("PUT", False, "notification", buckets.put_notification),
    ("PUT", False, None, buckets.create),
    ("DELETE", False, None, buckets.delete),
    ("POST", False, "delete", buckets.delete_objects),
    ("GET", True, "uploadId", multipart.list_parts),
    ("GET", True, None, objects.get),
    ("HEAD", True, None, objects.get),
    ("PUT", True, "uploadId", multipart.put_part),
    ("PUT", True, None, objects.put),
    ("POST", True, "uploads", multipart.start),
    ("POST", True, "uploadId", multipart.complete),
    ("DELETE", True, "uploadId", multipart.abort),
    ("DELETE", True, None, objects.delete),
]
# Parameters that choose an operation which is not here.
_OTHERS = frozenset(("acl", "append", "attributes", "cors", "encryption", "legal-hold", "lifecycle", "object-lock"))
_OTHERS |= {"policy", "replication", "restore", "retention", "select", "tagging", "torrent", "website"}
_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
    "access-control-expose-headers": "*",
}


class S3:
    def __init__(self, index: Path | None, folder: Path, notify: Notify) -> None:
        self._index = index
        self._storage = Storage(Index(index), Blobs(folder), notify)

    def __call__(self, environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "OPTIONS":
            asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "*")
            answer = Answer(200, {"access-control-allow-headers": asked, "content-length": "0"})
        else:
            request = Request.of(environ)
            try:
                answer = self._answer(request)
            except S3Error as error:
                answer = _error(request, error)
            except (OSError, sqlite3.Error) as error:  # such as a full disk
                answer = _error(request, S3Error("InternalError", f"the local S3 failed: {error}"))
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, list((answer.headers | _CORS).items()))
        return answer.body

    def sweep(self) -> list[str]:
        """Delete files that no object holds, as a killed process leaves them; call it before the first request.

        Returns the keys of objects whose files are missing. Raises Unusable for files without an index, which all would
        be deleted.
        """
        held, there = dict(self._storage.index.held_blobs()), set(self._storage.blobs.names())
        lost = there - held.keys()
        if lost and not self._storage.index.buckets():  # a bucket is older than every file
            assert self._index
            raise Unusable(f"there are {len(lost):,} files of objects, but no list of them: {remedy(self._index)}")
        self._storage.blobs.forget(lost)
        return sorted({key for name, key in held.items() if name not in there})

    def is_new(self) -> bool:
        """Whether there is no bucket."""
        return not self._storage.index.buckets()

    def holds(self, prefix: str) -> bool:
        """Whether there is an object whose key has the prefix."""
        return any(key.startswith(prefix) for _, key in self._storage.index.held_blobs())

    def _answer(self, request: Request) -> Answer:
        if not request.bucket:
            return buckets.list_all(self._storage, request)
        if "x-amz-copy-source" in request.headers and "uploadId" not in request.query:
            return objects.copy(self._storage, request)
        return _operation(request)(self._storage, request)


def _operation(request: Request) -> Operation:
    """Raises NotImplemented."""
    other = next(iter(_OTHERS & request.query.keys()), None)
    if other is None:
        for method, has_key, parameter, operation in _OPERATIONS:
            fits = method == request.method and has_key == bool(request.key)
            if fits and (parameter is None or parameter in request.query):
                return operation
    raise S3Error("NotImplemented", f"{request.method} with {other or 'these parameters'} is not in the local S3")


def _error(request: Request, error: S3Error) -> Answer:
    if error.code == "InternalError":
        tell(error.message)
    told = [("Code", error.code), ("Message", error.message), ("Key", request.key or None)]
    body = b"" if request.method == "HEAD" else xml.document("Error", told)
    headers = {"content-type": "application/xml", "content-length": str(len(body))}
    # What is left of the request's body would be taken for the next request.
    unread = {"connection": "close"} if request.method in ("PUT", "POST") else {}
    return Answer(error.status, headers | unread | dict(error.headers), [body])
