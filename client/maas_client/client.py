"""The typed client of both APIs: /api/v1 for models, versions, aliases and jobs, /v2 for inference."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from maas_client.calls import ATTEMPTS, deadline_after
from maas_client.job_records import Job
from maas_client.jobs_client import JobsClient
from maas_client.keys_client import KeysClient
from maas_client.model_records import InferenceResponse, ModelMetadata
from maas_client.transport import Transport

if TYPE_CHECKING:
    from maas_client.inference import Inputs, Signature
    from maas_client.model_records import Outputs


class MaasClient(JobsClient, KeysClient):
    """Calls one MaaS server; use it as a context manager or `close` it. Threads may share it, and its connections.

    `url` and `api_key` default to MAAS_URL and MAAS_API_KEY, then to http://127.0.0.1:8080 and no key. With no key,
    calls to API Gateway or a Function URL are signed with the AWS credentials found (needs botocore).
    What is safe to send twice (reads, inference, creating with an Idempotency-Key) is sent up to `attempts` times when
    the server is not there or says 429, 502, 503 or 504. `timeout_seconds` bounds an inference with all its attempts.
    Every method raises CannotConnect when no answer comes, an ApiError (NotFound, Conflict, ...) when it is a refusal.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._transport = Transport(url, api_key, attempts)
        self._timeout_seconds = timeout_seconds
        self._signatures: dict[tuple[str, str], Signature] = {}

    @property
    def url(self) -> str:
        return self._transport.url

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def metadata(self, model: str, version: str | int | None = None) -> ModelMetadata:
        """The inputs and outputs of a version: its number, an alias, or None for what is served by default."""
        from maas_client.inference import metadata

        return self._transport.run(metadata(model, version, deadline_after(self._timeout_seconds)))

    def predict(
        self,
        model: str,
        inputs: "Inputs",
        version: str | int | None = None,
        outputs: Sequence[str] | None = None,
        *,
        request_id: str | None = None,
        binary: bool = True,
        timeout_seconds: float | None = None,
        variant: str | None = None,
    ) -> "Outputs":
        """The outputs by name, or those asked for, as arrays shaped as the model's signature says, row-major.

        `inputs` are arrays by name, or the array of a model's only input. Arrays are sent in their own dtype and shape.
        Lists and numbers take both from the model's signature, which is asked for once; a single record of these
        becomes a batch of one. `version` is a number or an alias. Tensors go as bytes, or as JSON if not `binary`.
        `timeout_seconds` is for all that this takes; the server stops too when it is over. `variant` asks for another
        form of the version, one that it was pushed with (`quantize`).
        Raises InvalidRequest when an array does not fit the signature, InvalidInput when it cannot be sent,
        NoAnswerInTime or DeadlineExceeded when it took too long, InvalidResponse for an answer that is none.
        """
        return self.infer_response(
            model,
            inputs,
            version,
            outputs,
            request_id=request_id,
            binary=binary,
            timeout_seconds=timeout_seconds,
            variant=variant,
        ).outputs

    infer = predict

    def infer_response(
        self,
        model: str,
        inputs: "Inputs",
        version: str | int | None = None,
        outputs: Sequence[str] | None = None,
        *,
        request_id: str | None = None,
        binary: bool = True,
        timeout_seconds: float | None = None,
        variant: str | None = None,
    ) -> InferenceResponse:
        """Like `predict`, with the model and version that answered, and the request's id."""
        from maas_client.inference import Wanted, predict

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        wanted = Wanted(model, version, outputs, request_id, binary, deadline, variant)
        return self._transport.run(predict(inputs, wanted, self._signatures))

    def infer_json(
        self,
        model: str,
        request: Mapping[str, Any],
        version: str | int | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Send an inference request of the Open Inference Protocol as it is; the response likewise.

        With `timeout_seconds` it gets a `timeout` of that, unless it has one.
        """
        from maas_client.inference import infer_json

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        return self._transport.run(infer_json(model, request, version, deadline))

    def infer_later(
        self,
        model: str,
        inputs: "Inputs",
        version: str | int | None = None,
        outputs: Sequence[str] | None = None,
        *,
        request_id: str | None = None,
        binary: bool = True,
        notify: str | None = None,
    ) -> Job:
        """Ask for what `predict` gives, to be answered later: beyond 6 MB and 29 s, both ways.

        Large inputs are uploaded. `notify` is told of the end: an https URL, or the ARN of an SNS topic.
        """
        from maas_client import deferred
        from maas_client.inference import Wanted, request_body

        body = self._transport.run(request_body(inputs, Wanted(model, version, outputs, request_id, binary)))
        if len(body.content) <= deferred.INLINE_BYTES:
            return self._transport.run(deferred.submit(model, version, body, notify))
        with deferred.spooled(body) as (file, declared):
            new = self._transport.run(deferred.reserve(model, version, body, declared, notify))
            try:
                deferred.upload(new, file)
            except BaseException:
                self._transport.run(deferred.cancel(new.job.id))
                raise
        return self._transport.run(deferred.complete(new.job.id))

    def deferred_answer(self, job: Job | str, timeout_seconds: float | None = None) -> "Outputs":
        """The outputs of `infer_later`, waited for. Raises JobFailed, JobCancelled, JobTimedOut, DownloadFailed."""
        return self.deferred_response(job, timeout_seconds).outputs

    def deferred_response(self, job: Job | str, timeout_seconds: float | None = None) -> InferenceResponse:
        """Like `deferred_answer`, with the model and version that answered, and the request's id."""
        from maas_client import deferred

        found = self.wait_job(job if isinstance(job, str) else job.id, timeout_seconds)
        return deferred.response(self._transport.run(deferred.results(found)))
