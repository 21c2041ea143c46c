"""Uploads in parts. The object is the list of its parts' files: completing copies nothing."""

import hashlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from maas_local.s3 import conditions, xml
from maas_local.s3.errors import S3Error
from maas_local.s3.objects import copied
from maas_local.s3.requests import Answer, Request, Storage, version_header
from maas_local.s3.stored import StoredPart

MIN_PART_BYTES, MAX_PARTS, PAGE = 5 << 20, 10_000, 1000
_NO_WHOLE = "x-amz-checksum-"  # the digests of parts are not the object's


def start(storage: Storage, request: Request) -> Answer:
    bucket = storage.bucket(request)
    headers = {name: value for name, value in request.kept_headers().items() if not name.startswith(_NO_WHOLE)}
    upload = storage.index.start_upload(bucket.name, request.key, headers)
    told = [("Bucket", bucket.name), ("Key", request.key), ("UploadId", upload)]
    return Answer.xml("InitiateMultipartUploadResult", told)


def put_part(storage: Storage, request: Request) -> Answer:
    number, upload = request.number("partNumber", 1, MAX_PARTS + 1), request.query["uploadId"]
    if not 1 <= number <= MAX_PARTS:
        raise S3Error("InvalidArgument", f"partNumber: got {number}, expected 1 to {MAX_PARTS:,}")
    storage.index.upload(storage.bucket(request).name, request.key, upload)
    copies = "x-amz-copy-source" in request.headers
    blob, etag = storage.blobs.write(_copied(storage, request) if copies else request.pieces())
    try:
        gone = storage.index.put_part(upload, number, blob, etag)
    except BaseException:  # such as a full disk
        storage.blobs.delete([blob])
        raise
    storage.blobs.delete(gone)
    if copies:
        return Answer.xml("CopyPartResult", [("ETag", f'"{etag}"')])
    checksums = {name: value for name, value in request.kept_headers().items() if name.startswith(_NO_WHOLE)}
    return Answer(200, {"etag": f'"{etag}"', "content-length": "0"} | checksums)


def _copied(storage: Storage, request: Request) -> Iterator[bytes]:
    source = copied(storage, request)
    wanted = conditions.range_of({"range": request.headers.get("x-amz-copy-source-range", "")}, source.size_bytes)
    return storage.blobs.read(source.blobs, *(wanted or (0, source.size_bytes)))


def complete(storage: Storage, request: Request) -> Answer:
    bucket = storage.bucket(request)
    upload = storage.index.upload(bucket.name, request.key, request.query["uploadId"])
    parts = _chosen(storage.index.parts(upload.id), xml.parsed(request.document()))
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts)).hexdigest()  # noqa: S324 (S3's ETag)
    version, gone = storage.index.put(
        bucket,
        request.key,
        etag=f"{digest}-{len(parts)}",
        headers=upload.headers,
        blobs=tuple(part.blob for part in parts),
        condition=conditions.of_write(request.headers),
        upload=upload.id,
    )
    storage.blobs.delete(gone)
    storage.created("CompleteMultipartUpload", bucket, version)
    told = [("Bucket", bucket.name), ("Key", request.key), ("ETag", f'"{version.etag}"')]
    return Answer.xml("CompleteMultipartUploadResult", told, version_header(bucket, version))


def _chosen(stored: list[StoredPart], asked: Element) -> list[StoredPart]:
    """The parts that the request names. Raises MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall."""
    by_number = {part.number: part for part in stored}
    chosen: list[StoredPart] = []
    for one in asked.iter("Part"):
        number, etag = one.findtext("PartNumber", ""), one.findtext("ETag", "").strip('"')
        part = by_number.get(int(number)) if number.isdecimal() else None
        if part is None or part.etag != etag:
            raise S3Error("InvalidPart", f"there is no part {number:.20} with ETag {etag:.100}")
        if chosen and part.number <= chosen[-1].number:
            raise S3Error("InvalidPartOrder", "the parts are not in the order of their numbers")
        chosen.append(part)
    if not chosen:
        raise S3Error("MalformedXML", "the body names no part")
    if any(part.size_bytes < MIN_PART_BYTES for part in chosen[:-1]):
        raise S3Error("EntityTooSmall", f"a part but the last has less than {MIN_PART_BYTES:,} bytes")
    return chosen


def abort(storage: Storage, request: Request) -> Answer:
    upload = storage.index.upload(storage.bucket(request).name, request.key, request.query["uploadId"])
    storage.blobs.delete(storage.index.abort(upload.id))
    return Answer(204)


def list_parts(storage: Storage, request: Request) -> Answer:
    bucket = storage.bucket(request)
    upload = storage.index.upload(bucket.name, request.key, request.query["uploadId"])
    most, after = request.number("max-parts", PAGE, PAGE), request.number("part-number-marker", 0, MAX_PARTS)
    parts = [part for part in storage.index.parts(upload.id) if part.number > after]
    page = parts[:most]
    told: list[xml.Child] = [
        ("Bucket", bucket.name),
        ("Key", request.key),
        ("UploadId", upload.id),
        ("PartNumberMarker", after),
        ("NextPartNumberMarker", page[-1].number if page else 0),
        ("MaxParts", most),
        ("IsTruncated", len(parts) > most),
    ]
    told += [("Part", _told(part)) for part in page]
    return Answer.xml("ListPartsResult", told)


def _told(part: StoredPart) -> list[xml.Child]:
    return [
        ("PartNumber", part.number),
        ("LastModified", xml.iso(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("Size", part.size_bytes),
    ]
