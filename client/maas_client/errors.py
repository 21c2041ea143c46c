"""The errors of the client. Each message says what to do next.

MaasError
├── CannotConnect         no server answers at the URL
│   └── NoAnswerInTime    not within the time limit
├── InvalidResponse       the answer is not what the API says: no JSON, a field missing, another type
├── ApiError              the server said no: `status`, `message`, `field`
│   ├── InvalidRequest    400, 415, 422
│   │   └── TooLarge      413: more than a call takes
│   ├── NotAllowed        401, 403
│   ├── NotFound          404
│   ├── Conflict          409
│   ├── Gone              410: deleted, and can be restored
│   ├── PreconditionFailed  412: it has changed since it was read; `current` is its state
│   └── ServerFailed      5xx: `retry_after_seconds`, where the server says when
│       ├── TooManyRequests   429
│       ├── Unavailable       503
│       └── DeadlineExceeded  504: the run exceeded its time limit
├── InvalidInput          a local argument, file or array that cannot be sent
├── UploadFailed          the storage refused a file
├── DownloadFailed        a file could not be downloaded unchanged, or not be written
├── DeploymentFailed      the uploaded version is FAILED: `model`, `version`, `reason`
├── TimedOut              the version is still being checked: `model`, `version`
├── JobFailed             a job is FAILED: `job`, `reason`
│   └── JobCancelled      the job was cancelled
└── JobTimedOut           a job has not ended yet: `job`
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maas_client.records.jobs import Job


NO_SERVER = "is `maas local` running there? Otherwise set MAAS_URL or --url"


class MaasError(Exception):
    """Base of all errors of this client; the message says what to do.

    >>> try:
    ...     maas.infer("nobody", [[1, 2]])
    ... except MaasError as error:
    ...     print(type(error).__name__, error)
    NotFound there is no model 'nobody' (HTTP 404; `maas models`, `maas show MODEL` and `maas jobs` list what exists)
    """

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the facts, too: process pools hand errors over as pickles."""
        return _rebuilt, (type(self), self.args, vars(self))


def _rebuilt(kind: type[MaasError], args: tuple[Any, ...], facts: dict[str, Any]) -> MaasError:
    error = kind.__new__(kind, *args)
    vars(error).update(facts)
    return error


class CannotConnect(MaasError):
    """No server answers at the URL."""

    what = "cannot reach"

    def __init__(self, url: str, why: str, hint: str = NO_SERVER) -> None:
        super().__init__(f"{self.what} {url} ({why}): {hint}")
        self.url = url


class NoAnswerInTime(CannotConnect):
    """No complete answer within the time limit."""

    what = "no answer in time from"


class InvalidResponse(MaasError):
    """The answer is not what the API says: no JSON, a field missing, another type."""


class ApiError(MaasError):
    """The server refused: `status`, `message`, and `field`, the part of the request at fault, where it names one."""

    hint = ""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        hint = f"; {self.hint}" if self.hint else ""
        super().__init__(f"{message} (HTTP {status}{hint})")
        self.status, self.message, self.field = status, message, field


class InvalidRequest(ApiError):
    """400, 415, 422: the request is not one, or does not fit the model."""


class TooLarge(InvalidRequest):
    """413: the request or its answer is more than a call takes, or a file more than the server keeps."""


class NotAllowed(ApiError):
    """401, 403: no key, or a key without the needed scope."""

    hint = "give a key in MAAS_API_KEY or --api-key that may do this, or AWS credentials that may call this API"


class NotFound(ApiError):
    """404: there is no such model, version, alias, job or key."""

    hint = "`maas models`, `maas show MODEL` and `maas jobs` list what exists"


class Conflict(ApiError):
    """409: the current state does not allow it; the message says why."""

    hint = "`maas show MODEL` tells the state of its versions, `maas jobs ID` that of a job"


class Gone(ApiError):
    """410: the model or version is deleted, and can be restored."""

    hint = "`maas restore` brings it back, `maas show --deleted` shows it"


class PreconditionFailed(ApiError):
    """412: it changed since it was read. `current` is the item as it is now, as JSON."""

    hint = "it has changed since it was read"
    current: dict[str, Any] | None = None


class ServerFailed(ApiError):
    """5xx: the server failed. `retry_after_seconds` is its Retry-After, or None."""

    hint = "try again; if it persists, see the function's log"
    retry_after_seconds: float | None = None


class TooManyRequests(ServerFailed):
    """429: more requests than the key or the account is allowed."""

    hint = "try again later, or ask for a larger quota"


class Unavailable(ServerFailed):
    """503: no capacity for now."""


class DeadlineExceeded(ServerFailed):
    """504: the run exceeded its time limit."""

    hint = "allow more time, or send less at once"


def api_error(status: int, message: str, field: str | None = None, current: dict[str, Any] | None = None) -> ApiError:
    """The error for an HTTP status."""
    kinds: dict[int, type[ApiError]] = {
        **dict.fromkeys((400, 415, 422), InvalidRequest),
        413: TooLarge,
        **dict.fromkeys((401, 403), NotAllowed),
        404: NotFound,
        409: Conflict,
        410: Gone,
        412: PreconditionFailed,
        429: TooManyRequests,
        503: Unavailable,
        504: DeadlineExceeded,
    }
    kind = kinds.get(status, ServerFailed if status >= 500 else ApiError)
    error = kind(status, message, field)
    if isinstance(error, PreconditionFailed):
        error.current = current
    return error


class InvalidInput(MaasError):
    """A local argument, file or array that cannot be sent."""


class UploadFailed(MaasError):
    """The storage refused a file."""


class DownloadFailed(MaasError):
    """A file could not be downloaded unchanged, or not be written."""


class DeploymentFailed(MaasError):
    """The version that was uploaded is FAILED: `model`, `version`, `reason`."""

    def __init__(self, model: str, version: int, reason: str | None) -> None:
        why = reason or "no reason was recorded; see the deployment function's log"
        super().__init__(f"version {version} of '{model}' was refused: {why}")
        self.model, self.version, self.reason = model, version, reason


class TimedOut(MaasError):
    """The version is still being checked: `model`, `version`, `status`."""

    def __init__(self, model: str, version: int, status: str, seconds: float) -> None:
        super().__init__(
            f"version {version} of '{model}' is still {status} after {seconds:g} s: "
            f"look again with `maas show {model}@{version}`"
        )
        self.model, self.version, self.status = model, version, status


class JobFailed(MaasError):
    """The job is FAILED: `job`, `reason`."""

    def __init__(self, job: "Job") -> None:
        super().__init__(f"job {job.id} {self._became(job)}")
        self.job, self.reason = job, job.reason

    def _became(self, job: "Job") -> str:
        why = job.reason or "no reason was recorded; see the log of the batch functions"
        retry = f"`maas job retry {job.id}`"
        if not job.progress or not job.progress.shards_total:
            return f"failed: {why}; {retry} plans it again, another input or option is another job"
        if job.progress.shards_done == job.progress.shards_total:
            return f"failed: {why}; `maas job download {job.id}` has the error of each record"
        return f"failed: {why}; {retry} runs the missing shards"


class JobCancelled(JobFailed):
    """The job was cancelled."""

    def _became(self, job: "Job") -> str:
        return "was cancelled; finished parts stay"


class JobTimedOut(MaasError):
    """The job has not ended yet: `job`."""

    def __init__(self, job: "Job", seconds: float) -> None:
        super().__init__(f"job {job.id} is still {job.status} after {seconds:g} s: `maas job wait {job.id}` continues")
        self.job = job
