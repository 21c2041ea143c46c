"""S3's errors: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

from collections.abc import Mapping

_STATUS = {
    "BadDigest": 400,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "EntityTooSmall": 400,
    "InternalError": 500,
    "InvalidArgument": 400,
    "InvalidPart": 400,
    "InvalidPartOrder": 400,
    "InvalidRange": 416,
    "IncompleteBody": 400,
    "MalformedXML": 400,
    "MethodNotAllowed": 405,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NoSuchVersion": 404,
    "NotImplemented": 501,
    "PreconditionFailed": 412,
    "XAmzContentSHA256Mismatch": 400,
}


class S3Error(Exception):
    """An error answer; `headers` go with it."""

    def __init__(self, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.headers = code, message, headers or {}

    @property
    def status(self) -> int:
        return _STATUS[self.code]
