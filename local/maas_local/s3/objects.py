"""Operations on one object: PUT, copy, GET, HEAD, DELETE."""

from urllib.parse import parse_qs, unquote

from maas_local.s3 import conditions, xml
from maas_local.s3.blobs import damaged
from maas_local.s3.requests import Answer, Request, Storage, http_date, version_header
from maas_local.s3.stored import StoredBucket, StoredVersion

_DEFAULT_TYPE = "binary/octet-stream"
_OVERRIDE = "response-"  # parameters of GET that replace headers of the answer


def put(storage: Storage, request: Request) -> Answer:
    bucket, condition = storage.bucket(request), conditions.of_write(request.headers)
    condition(storage.index.current(bucket.name, request.key))  # before a long body is read
    blob, etag = storage.blobs.write(request.pieces())
    try:
        version, gone = storage.index.put(
            bucket, request.key, etag=etag, headers=request.kept_headers(), blobs=(blob,), condition=condition
        )
    except BaseException:  # such as a full disk
        storage.blobs.delete([blob])
        raise
    storage.blobs.delete(gone)
    storage.created("PutObject", bucket, version)
    checksums = {name: value for name, value in version.headers.items() if name.startswith("x-amz-checksum-")}
    return Answer(200, {"etag": f'"{etag}"', "content-length": "0"} | version_header(bucket, version) | checksums)


def copy(storage: Storage, request: Request) -> Answer:
    bucket, source = storage.bucket(request), copied(storage, request)
    blobs = storage.blobs.link(source.blobs)
    replaces = request.headers.get("x-amz-metadata-directive") == "REPLACE"
    headers = request.kept_headers() if replaces else source.headers
    version, gone = storage.index.put(bucket, request.key, etag=source.etag, headers=headers, blobs=tuple(blobs))
    storage.blobs.delete(gone)
    storage.created("CopyObject", bucket, version)
    told = [("ETag", f'"{version.etag}"'), ("LastModified", xml.iso(version.modified))]
    return Answer.xml("CopyObjectResult", told, version_header(bucket, version))


def copied(storage: Storage, request: Request) -> StoredVersion:
    """The version that x-amz-copy-source names. Raises as `Storage.version` does."""
    path, _, query = request.headers["x-amz-copy-source"].partition("?")
    name, _, key = unquote(path).removeprefix("/").partition("/")
    version_id = parse_qs(query).get("versionId", [None])[0]
    return storage.version(storage.index.bucket(name).name, key, version_id)


def get(storage: Storage, request: Request) -> Answer:
    """GET and HEAD."""
    bucket = storage.bucket(request)
    found = storage.version(bucket.name, request.key, request.query.get("versionId"))
    headers = _described(request, bucket, found)
    if conditions.is_unchanged(request.headers, found):
        return Answer(304, {name: headers[name] for name in ("etag", "last-modified")})
    wanted = conditions.range_of(request.headers, found.size_bytes)
    start, end = wanted or (0, found.size_bytes)
    headers["content-length"] = str(end - start)
    if wanted:
        headers["content-range"] = f"bytes {start}-{end - 1}/{found.size_bytes}"
    try:
        body = storage.blobs.read(found.blobs, start, end) if request.method == "GET" else ()
    except FileNotFoundError as error:
        now = storage.version(bucket.name, request.key, request.query.get("versionId"))
        if now.blobs == found.blobs:
            raise damaged(f"{error.filename} is missing: something else has removed it") from error
        return get(storage, request)  # replaced since it was looked up
    return Answer(206 if wanted else 200, headers, body)


def _described(request: Request, bucket: StoredBucket, found: StoredVersion) -> dict[str, str]:
    asked = request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED" and "range" not in request.headers
    kept = {name: value for name, value in found.headers.items() if asked or not name.startswith("x-amz-checksum-")}
    if any(name.startswith("x-amz-checksum-") for name in kept):
        kept["x-amz-checksum-type"] = "FULL_OBJECT"
    replaced = {
        name.removeprefix(_OVERRIDE): value for name, value in request.query.items() if name.startswith(_OVERRIDE)
    }
    described = {
        "content-type": _DEFAULT_TYPE,
        "etag": f'"{found.etag}"',
        "last-modified": http_date(found.modified),
        "accept-ranges": "bytes",
    }
    return described | kept | version_header(bucket, found) | replaced


def delete(storage: Storage, request: Request) -> Answer:
    bucket = storage.bucket(request)
    headers = delete_one(storage, bucket, request.key, request.query.get("versionId"))
    return Answer(204, headers)


def delete_one(storage: Storage, bucket: StoredBucket, key: str, version_id: str | None) -> dict[str, str]:
    """Hide the object behind a marker, or delete a version for good; the headers that tell what happened."""
    if version_id is not None or not bucket.versioned:
        gone, blobs = storage.index.remove(bucket.name, key, version_id or "null")
        storage.blobs.delete(blobs)
        if gone and gone.is_marker:
            return {"x-amz-version-id": gone.id, "x-amz-delete-marker": "true"}
        return {"x-amz-version-id": version_id} if version_id else {}
    marker, _ = storage.index.put(bucket, key, is_marker=True)
    return {"x-amz-version-id": marker.id, "x-amz-delete-marker": "true"}
