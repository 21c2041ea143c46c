"""S3: versions in events, and ranges of versions.

- The event "Object Created" names the object's version, which the functions read:
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
- GET with `Range` and `versionId` answers 206 with the range; MiniStack answers 200 with the whole version:
  https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

_version: ContextVar[str | None] = ContextVar("version", default=None)


def mend() -> None:
    _name_versions_in_events()
    _answer_ranges_of_versions()


def _name_versions_in_events() -> None:
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_with_version(*arguments: Any, **options: Any) -> None:
        token = _version.set(options.get("version_id"))
        try:
            fire(*arguments, **options)
        finally:
            _version.reset(token)

    def dispatch_with_version(event: dict[str, Any], *arguments: Any, **options: Any) -> Any:
        if event.get("Source") == "aws.s3" and (version := _version.get()):
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = event | {"Detail": json.dumps(detail)}
        return dispatch(event, *arguments, **options)

    s3._fire_s3_event, eventbridge._dispatch_event = fire_with_version, dispatch_with_version


def _answer_ranges_of_versions() -> None:
    get = s3._get_object

    def get_range(bucket: str, key: str, headers: dict[str, str], query: dict[str, Any] | None = None) -> Any:
        status, answer, body = get(bucket, key, headers, query)
        if status != 200 or "range" not in headers or not (query or {}).get("versionId"):
            return status, answer, body
        found = s3._parse_range(headers["range"], len(body))
        if found is None:
            range_ = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
            return 416, range_, s3._xml_body(s3._range_error_xml(bucket, key))
        start, end = found
        # A checksum is of the whole object: a client would hold it against the part.
        answer = {name: value for name, value in answer.items() if not name.lower().startswith("x-amz-checksum")}
        part = {"Content-Length": str(end + 1 - start), "Content-Range": f"bytes {start}-{end}/{len(body)}"}
        return 206, answer | part, body[start : end + 1]

    s3._get_object = get_range
