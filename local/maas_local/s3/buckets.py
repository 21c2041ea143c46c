"""Operations on a bucket but its lists: create, configure, delete many objects."""

from maas_local.s3 import objects, xml
from maas_local.s3.errors import S3Error
from maas_local.s3.requests import Answer, Request, Storage

MAX_DELETED = 1000


def list_all(storage: Storage, _: Request) -> Answer:
    found = [("Bucket", [("Name", name)]) for name in storage.index.buckets()]
    return Answer.xml("ListAllMyBucketsResult", [("Buckets", found)])


def create(storage: Storage, request: Request) -> Answer:
    storage.index.create_bucket(request.bucket)
    return Answer(200, {"location": f"/{request.bucket}", "content-length": "0"})


def head(storage: Storage, request: Request) -> Answer:
    storage.bucket(request)
    return Answer(200, {"content-length": "0"})


def delete(storage: Storage, request: Request) -> Answer:
    storage.index.delete_bucket(request.bucket)
    return Answer(204)


def location(storage: Storage, request: Request) -> Answer:
    storage.bucket(request)
    return Answer.xml("LocationConstraint", [])


def versioning(storage: Storage, request: Request) -> Answer:
    enabled = storage.bucket(request).versioned
    return Answer.xml("VersioningConfiguration", [("Status", "Enabled")] if enabled else [])


def put_versioning(storage: Storage, request: Request) -> Answer:
    status = xml.parsed(request.document()).findtext("Status")
    storage.bucket(request)
    if status != "Enabled":
        raise S3Error("NotImplemented", f"Status: got {status!r:.40}, expected Enabled: versioning stays on once it is")
    storage.index.configure(request.bucket, versioned=True)
    return Answer(200, {"content-length": "0"})


def notification(storage: Storage, request: Request) -> Answer:
    events = storage.bucket(request).events
    return Answer.xml("NotificationConfiguration", [("EventBridgeConfiguration", "")] if events else [])


def put_notification(storage: Storage, request: Request) -> Answer:
    asked = {element.tag for element in xml.parsed(request.document())}
    storage.bucket(request)
    if asked - {"EventBridgeConfiguration"}:
        raise S3Error("NotImplemented", f"got {', '.join(sorted(asked))}, expected EventBridgeConfiguration alone")
    storage.index.configure(request.bucket, events=bool(asked))
    return Answer(200, {"content-length": "0"})


def delete_objects(storage: Storage, request: Request) -> Answer:
    asked, bucket = xml.parsed(request.document()), storage.bucket(request)
    named = [(one.findtext("Key", ""), one.findtext("VersionId")) for one in asked.iter("Object")]
    if not named or len(named) > MAX_DELETED:
        raise S3Error("MalformedXML", f"got {len(named):,} objects, expected 1 to {MAX_DELETED:,}")
    told: list[xml.Child] = []
    for key, version_id in named:
        headers = objects.delete_one(storage, bucket, key, version_id)
        is_marker = headers.get("x-amz-delete-marker") == "true"
        made = None if version_id or not is_marker else headers["x-amz-version-id"]
        told.append(
            (
                "Deleted",
                [
                    ("Key", key),
                    ("VersionId", version_id),
                    ("DeleteMarker", True if is_marker else None),
                    ("DeleteMarkerVersionId", version_id if version_id and is_marker else made),
                ],
            )
        )
    return Answer.xml("DeleteResult", [] if asked.findtext("Quiet") == "true" else told)
