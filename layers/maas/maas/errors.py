"""The error tree. Errors carry facts; only `maas.web.events` maps them to HTTP statuses.

MaasError
├── InvalidRequest            the request is invalid; names the field at fault
│   ├── InvalidTensor         an input that does not fit the model's signature or its own shape
│   ├── UnsupportedMediaType  a body whose Content-Type the route does not read
│   └── NotAcceptable         an Accept header without a type that the route writes
├── NotAuthenticated          no valid key, token or signature
├── NotAllowed                the caller lacks the scope
├── RightsExceeded            a key would have more rights than the key that creates or rotates it
├── QuotaExceeded             a quota of the caller or of the model is used up
├── NotFound                  no such model, version, alias, job or key
├── Gone                      deleted, can still be restored
├── PreconditionFailed        If-Match does not name the current state
├── Conflict                  not possible in the current state
│   ├── AlreadyExists
│   ├── NotReady              the version is not READY: it gets no alias and no traffic
│   └── UploadIncomplete      a declared file is missing or differs from its declaration
├── TooLarge                  beyond one of our limits or Lambda's
│   ├── AnswerTooLarge        the answer does not fit into a response
│   └── OutOfMemory           the request or its answer does not fit into the function's memory
├── InsufficientStorage       the model can never fit into this function's /tmp or memory
├── Contended                 concurrent writers; nothing was changed
├── ModelRejected             the file cannot be served; the reason goes into the version's record
├── RunFailed                 onnxruntime failed on well-formed inputs
├── DeadlineExceeded          the time limit of the request or of the invocation is over
├── NotOffered                a part of a protocol that is not supported here
├── ArtifactCorrupt           stored bytes differ from the validated bytes
├── ReadRefused               S3 does not let the function read an object
└── ServiceUnavailable        S3 or DynamoDB did not answer, or with an error that may pass
"""

import re
from collections.abc import Sequence

_ARN = re.compile(r"\barn:[^\s\"'<>]+")


class MaasError(Exception):
    """Base of the tree. `field` names the part of the request at fault, if there is one."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidRequest(MaasError):
    pass


class InvalidTensor(InvalidRequest):
    """An invalid input tensor; `field` is `inputs[NAME]` or `inputs[NAME].PART`."""

    def __init__(self, name: str, part: str, came: object, expected: object) -> None:
        where = f"inputs[{name}].{part}" if part else f"inputs[{name}]"
        super().__init__(f"{where}: got {came}, expected {expected}", field=where)
        self.name, self.came, self.expected = name, came, expected


class _WrongMediaType(InvalidRequest):
    def __init__(self, header: str, came: str, expected: Sequence[str]) -> None:
        super().__init__(f"{header}: got {came:.100}, expected {' or '.join(expected)}", field=header)


class UnsupportedMediaType(_WrongMediaType):
    pass


class NotAcceptable(_WrongMediaType):
    pass


class NotAuthenticated(MaasError):
    def __init__(self, why: str = "the request has no API key") -> None:
        super().__init__(f"{why}: send a key as `Authorization: Bearer KEY` or `x-api-key: KEY`")


class NotAllowed(MaasError):
    def __init__(self, actor: str, needed: Sequence[str]) -> None:
        super().__init__(f"{actor} has no scope for this: it needs {' or '.join(needed)}")
        self.actor, self.needed = actor, tuple(needed)


class RightsExceeded(MaasError):
    def __init__(self, field: str, came: object, allowed: object) -> None:
        super().__init__(f"{field}: got {came}, expected at most {allowed}, which the calling key has", field=field)


class QuotaExceeded(MaasError):
    def __init__(self, what: str, came: object, allowed: object, retry_after_seconds: int) -> None:
        super().__init__(f"{what}: got {came}, expected at most {allowed}; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class NotFound(MaasError):
    def __init__(self, kind: str, name: str, *, of: str | None = None) -> None:
        owner = f" of model '{of}'" if of else ""
        super().__init__(f"there is no {kind} '{name}'{owner}")
        self.kind, self.name, self.of = kind, name, of


class Gone(MaasError):
    def __init__(self, what: str, deleted_at: str, restore: str) -> None:
        super().__init__(f"{what} was deleted at {deleted_at}; restore it with {restore}")
        self.what, self.deleted_at = what, deleted_at


class PreconditionFailed(MaasError):
    """`current` is the current record: a model, a version and its aliases, or an alias with its model and name."""

    def __init__(self, came: str, etag: str, current: object) -> None:
        super().__init__(f"If-Match: got {came:.80}, but the ETag is now {etag}", field="If-Match")
        self.etag, self.current = etag, current


class Conflict(MaasError):
    pass


class AlreadyExists(Conflict):
    def __init__(self, kind: str, name: str, remark: str = "") -> None:
        super().__init__(f"{kind} '{name}' already exists{remark}", field="name")
        self.kind, self.name = kind, name


class NotReady(Conflict):
    def __init__(self, model: str, version: int | None, status: str, reason: str | None = None) -> None:
        which = f"version {version} of model '{model}'" if version else f"model '{model}'"
        super().__init__(f"{which} is {status}, not READY" + (f": {reason}" if reason else ""))
        self.model, self.version, self.status, self.reason = model, version, status, reason


class UploadIncomplete(Conflict):
    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("the upload is not complete: " + "; ".join(problems), field="files")
        self.problems = tuple(problems)


class TooLarge(MaasError):
    pass


class AnswerTooLarge(TooLarge):
    """`size` and `limit` are in bytes of the answer as its caller would get it."""

    INFERENCE = (
        "request fewer outputs, binary data or compression, send fewer rows in one request, or use asynchronous "
        "inference, which has no such limit (Prefer: respond-async)"
    )
    LIST = "request a smaller `limit`"

    def __init__(self, size: str, limit: str, advice: str = INFERENCE) -> None:
        super().__init__(f"the answer has {size}, the limit is {limit}: {advice}")


class OutOfMemory(TooLarge):
    def __init__(self) -> None:
        super().__init__("the request needs more memory than this function has: send fewer rows in one request")


class InsufficientStorage(MaasError):
    def __init__(self, needed_bytes: int, available_bytes: int) -> None:
        super().__init__(
            f"the model needs {needed_bytes:,} bytes of local storage, this function has {available_bytes:,}: "
            "raise the EphemeralStorage parameter of the template"
        )
        self.needed_bytes, self.available_bytes = needed_bytes, available_bytes


class Contended(MaasError):
    def __init__(self, name: str, kind: str = "model") -> None:
        super().__init__(f"{kind} '{name}' is being changed by other requests; nothing was changed, try again")
        self.name = name


class ModelRejected(MaasError):
    """Why a version is FAILED: what is wrong with its files and what to do."""


class RunFailed(MaasError):
    pass


class DeadlineExceeded(MaasError):
    def __init__(self, doing: str) -> None:
        super().__init__(f"the time limit of the request passed while {doing}; try again, or send fewer rows")
        self.doing = doing


class NotOffered(MaasError):
    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} is not offered: {why}")
        self.what = what


class ArtifactCorrupt(MaasError):
    def __init__(self, name: str, came: str, expected: str) -> None:
        super().__init__(f"{name}: its SHA-256 is {came}, declared was {expected}")
        self.name, self.came, self.expected = name, came, expected


class ReadRefused(MaasError):
    def __init__(self, key: str, s3_version: str | None) -> None:
        which = f"version {s3_version} of {key}" if s3_version else f"{key} without a version"
        advice = "check the function's role, the bucket's policy, and that the bucket's versioning is on"
        super().__init__(f"S3 answers 403 for {which}: {advice}")
        self.key, self.s3_version = key, s3_version


class ServiceUnavailable(MaasError):
    """`answer` is what the service said instead of what it was asked for; empty if it said nothing.

    ARNs in it are left out: callers read the message, and need not know the account.
    """

    def __init__(self, service: str, answer: str = "") -> None:
        answer = _ARN.sub("arn:…", answer)
        super().__init__(f"{service} answered {answer:.1000}" if answer else f"{service} did not answer; try again")
        self.service = service
