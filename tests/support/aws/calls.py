"""AWS requests as IAM actions on resources: what a policy has to allow.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from maas_local.intrinsics import ACCOUNT, REGION
from support.aws.iam_policies import Call

_HEADER = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/")
_QUERY = re.compile(r"([^/]+)/\d{8}/[^/]+/([^/]+)/")
_DELETED = re.compile(r"<Object>(.*?)</Object>", re.DOTALL)
_TRANSACTED = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem"}
_SQS = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}


@dataclass(frozen=True)
class Signed:
    """A request and the key that signed it; `presigned` if the signature is in the URL."""

    access_key: str
    service: str
    presigned: bool
    method: str
    path: str
    query: Mapping[str, str]
    target: str
    body: bytes
    has_tags: bool


def signed(environ: Mapping[str, str], body: bytes) -> Signed | None:
    """None if the request is not signed. `environ` is WSGI's."""
    query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", ""), True).items()}
    found = _HEADER.search(environ.get("HTTP_AUTHORIZATION", "")) or _QUERY.match(query.get("X-Amz-Credential", ""))
    if not found:
        return None
    presigned = "HTTP_AUTHORIZATION" not in environ
    path = unquote(environ["PATH_INFO"].encode("latin-1").decode())
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    method, has_tags = environ["REQUEST_METHOD"], "HTTP_X_AMZ_TAGGING" in environ
    return Signed(found[1], found[2], presigned, method, path, query, target, body, has_tags)


def calls(request: Signed) -> list[Call]:
    """All calls that IAM checks for the request. Raises KeyError for an unknown service or operation."""
    services = {"s3": _s3, "dynamodb": _dynamodb, "sqs": _sqs, "events": _events, "sns": _sns}
    return list(services[request.service](request))


def missing(request: Signed) -> Call | None:
    """The permission that S3 also needs to answer 404 rather than 403. The role of its prefix is undocumented."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    if request.service == "s3" and key and request.method in ("GET", "HEAD"):
        return Call("s3:ListBucket", f"arn:aws:s3:::{bucket}")
    return None


def _s3(request: Signed) -> Iterator[Call]:
    bucket, _, key = request.path.lstrip("/").partition("/")
    whole, one = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"
    query, method = request.query, request.method
    if not key:
        if method == "POST" and "delete" in query:
            yield from _deleted(whole, request.body.decode())
            return
        listed = {"versions": "ListBucketVersions", "uploads": "ListBucketMultipartUploads"}
        action = next((action for name, action in listed.items() if name in query), "ListBucket")
        assert method == "GET", request
        yield Call(f"s3:{action}", whole, {"s3:prefix": [query.get("prefix", "")]})
    elif method in ("GET", "HEAD"):
        if "uploadId" in query:
            yield Call("s3:ListMultipartUploadParts", one)
        else:
            yield Call("s3:GetObjectVersion" if "versionId" in query else "s3:GetObject", one)
    elif method == "DELETE":
        deleted = "s3:DeleteObjectVersion" if "versionId" in query else "s3:DeleteObject"
        yield Call("s3:AbortMultipartUpload" if "uploadId" in query else deleted, one)
    else:  # PUT of an object or part, POST that starts or completes an upload
        yield Call("s3:PutObject", one)
        if request.has_tags:
            yield Call("s3:PutObjectTagging", one)


def _deleted(bucket: str, body: str) -> Iterator[Call]:
    for found in _DELETED.findall(body):
        key = re.search(r"<Key>(.*?)</Key>", found, re.DOTALL)
        assert key
        action = "s3:DeleteObjectVersion" if "<VersionId>" in found else "s3:DeleteObject"
        yield Call(action, f"{bucket}/{key[1]}")


def _dynamodb(request: Signed) -> Iterator[Call]:
    asked = json.loads(request.body)
    if request.target == "TransactWriteItems":
        for item in asked["TransactItems"]:
            ((kind, one),) = item.items()
            yield _of_table(_TRANSACTED[kind], one["TableName"], [one.get("Key", one.get("Item"))["pk"]["S"]])
    elif request.target in ("BatchGetItem", "BatchWriteItem"):
        for table, wanted in asked["RequestItems"].items():
            yield _of_table(request.target, table, _keys(wanted))
    elif request.target == "Query":
        yield _of_table("Query", asked["TableName"], [asked["ExpressionAttributeValues"][":pk"]["S"]])
    else:
        key = asked.get("Key") or asked["Item"]
        yield _of_table(request.target, asked["TableName"], [key["pk"]["S"]])


def _keys(wanted: Any) -> list[str]:
    """The partition keys of a BatchGetItem or BatchWriteItem."""
    if isinstance(wanted, dict):
        return [key["pk"]["S"] for key in wanted["Keys"]]
    return [(one.get("Key") or one["Item"])["pk"]["S"] for request in wanted for one in request.values()]


def _of_table(action: str, table: str, keys: list[str]) -> Call:
    return Call(f"dynamodb:{action}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:{table}", {"dynamodb:LeadingKeys": keys})


def _sqs(request: Signed) -> Iterator[Call]:
    queue = json.loads(request.body)["QueueUrl"].rpartition("/")[2]
    yield Call(f"sqs:{_SQS.get(request.target, request.target)}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")


def _events(request: Signed) -> Iterator[Call]:
    yield Call(f"events:{request.target}", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default")


def _sns(request: Signed) -> Iterator[Call]:
    asked = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    yield Call(f"sns:{asked['Action']}", asked["TopicArn"])
