"""Everything that can go wrong on purpose, as facts. `maas.http` alone knows which HTTP status each one is.

MaasError
├── InvalidRequest            the caller's mistake, with the field at fault
│   └── InvalidTensor         an input that does not fit the model's signature or its own shape
├── NotAuthenticated          no key, token or signature, or none that is good
├── NotAllowed                the caller's scopes do not reach so far
├── QuotaExceeded             so much, so many or so often is allowed, and no more
├── NotFound                  no such model, version, alias or key
├── Gone                      deleted, and can still be restored
├── PreconditionFailed        an If-Match that is not of the state as it is
├── Conflict                  the state forbids it
│   ├── AlreadyExists
│   ├── NotReady              the version is not READY, so it takes no alias and no traffic
│   └── UploadIncomplete      a declared file is missing or not what was declared
├── TooLarge                  beyond a limit that is ours or Lambda's
├── InsufficientStorage       a model that this function's /tmp or memory can never hold
├── Contended                 other writers kept winning; nothing was changed
├── ModelRejected             the file cannot be served: the reason goes into the version's record
├── RunFailed                 onnxruntime refused to run well-formed inputs
├── DeadlineExceeded          the time of the request, or of this call, is over
├── NotOffered                a part of a protocol that makes no sense here
├── ArtifactCorrupt           stored bytes are not the bytes that were checked
└── ServiceUnavailable        S3 or DynamoDB did not answer
"""

from collections.abc import Sequence


class MaasError(Exception):
    """Base of the tree. `field` names the part of the request at fault, where there is one."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidRequest(MaasError):
    pass


class InvalidTensor(InvalidRequest):
    """An input tensor at fault; `field` is `inputs[NAME]` or `inputs[NAME].PART`."""

    def __init__(self, name: str, part: str, came: object, expected: object) -> None:
        where = f"inputs[{name}].{part}" if part else f"inputs[{name}]"
        super().__init__(f"{where}: got {came}, expected {expected}", field=where)
        self.name, self.came, self.expected = name, came, expected


class NotAuthenticated(MaasError):
    def __init__(self, why: str = "no API key came with it") -> None:
        super().__init__(f"{why}: send a key as `Authorization: Bearer KEY` or `x-api-key: KEY`")


class NotAllowed(MaasError):
    def __init__(self, actor: str, needed: Sequence[str]) -> None:
        super().__init__(f"{actor} has no scope for this: it takes {' or '.join(needed)}")
        self.actor, self.needed = actor, tuple(needed)


class QuotaExceeded(MaasError):
    def __init__(self, what: str, came: object, allowed: object, retry_after_seconds: int) -> None:
        super().__init__(f"{what}: got {came}, allowed are {allowed}; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class NotFound(MaasError):
    def __init__(self, kind: str, name: str, *, of: str | None = None) -> None:
        owner = f" of model '{of}'" if of else ""
        super().__init__(f"there is no {kind} '{name}'{owner}")
        self.kind, self.name, self.of = kind, name, of


class Gone(MaasError):
    def __init__(self, what: str, deleted_at: str, restore: str) -> None:
        super().__init__(f"{what} was deleted at {deleted_at}; bring it back with {restore}")
        self.what, self.deleted_at = what, deleted_at


class PreconditionFailed(MaasError):
    """`current` is the record as it is now: a model, a version and its aliases, or an alias with its model and name."""

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


class InsufficientStorage(MaasError):
    def __init__(self, needed_bytes: int, available_bytes: int) -> None:
        super().__init__(
            f"the model needs {needed_bytes:,} bytes of local storage, this function has {available_bytes:,}: "
            "raise the EphemeralStorage parameter of the template"
        )
        self.needed_bytes, self.available_bytes = needed_bytes, available_bytes


class Contended(MaasError):
    def __init__(self, name: str, kind: str = "model") -> None:
        super().__init__(f"{kind} '{name}' is being changed by others; nothing was changed, try again")
        self.name = name


class ModelRejected(MaasError):
    """What the version's record shows as the reason of FAILED: what is wrong and what to do."""


class RunFailed(MaasError):
    pass


class DeadlineExceeded(MaasError):
    def __init__(self, doing: str) -> None:
        super().__init__(f"the time for this request was over while {doing}; try again, or send fewer rows")
        self.doing = doing


class NotOffered(MaasError):
    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} is not offered: {why}")
        self.what = what


class ArtifactCorrupt(MaasError):
    def __init__(self, name: str, came: str, expected: str) -> None:
        super().__init__(f"{name}: its SHA-256 is {came}, declared was {expected}")
        self.name, self.came, self.expected = name, came, expected


class ServiceUnavailable(MaasError):
    def __init__(self, service: str) -> None:
        super().__init__(f"{service} did not answer; try again")
        self.service = service
