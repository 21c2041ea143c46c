# Made from _async/client.py by client/generate_sync.py: change that file.
"""The client of both APIs: /api/v1 for models and all that belongs to them, jobs and keys; /v2 for inference."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from maas_client._sync import submission
from maas_client._sync.aliases_api import Aliases
from maas_client._sync.backend import in_thread
from maas_client._sync.captures_api import Captures
from maas_client._sync.inference_api import Inference
from maas_client._sync.jobs_api import Jobs
from maas_client._sync.keys_api import Keys
from maas_client._sync.models_api import Models
from maas_client._sync.pushing import deploy, release
from maas_client._sync.rollouts_api import Rollouts
from maas_client._sync.tasks_api import Tasks
from maas_client._sync.transport import Transport
from maas_client._sync.versions_api import CHECK_SECONDS, Versions
from maas_client.arguments import path as path_of
from maas_client.calls import ATTEMPTS, batch_body
from maas_client.example_files import Example, example_file
from maas_client.files import Report, quantizing
from maas_client.name_rules import check_alias
from maas_client.records.jobs import Job
from maas_client.records.models import ModelVersion
from maas_client.records.transfers import Progress
from maas_client.settings import Server
from maas_client.version_files import NewOptions, version_files


class MaasClient:
    """One MaaS server. Use it as a context manager, or `close` it.

    `models`, `versions`, `aliases`, `rollouts`, `captures`, `jobs` and `keys` manage what the server has; `push`,
    `infer` and `batch` are the work itself. `url` and `api_key` default to MAAS_URL and MAAS_API_KEY, then to
    http://127.0.0.1:8080 and no key.
    Without a key, calls to API Gateway or a Function URL are signed with the AWS credentials found (needs botocore).

    Reads, inferences, and calls that create with an Idempotency-Key are sent up to `attempts` times while the server
    is not there or answers 429, 502, 503 or 504. `timeout_seconds` bounds an inference with all its attempts.
    Every method raises CannotConnect when no answer comes, and an ApiError (NotFound, Conflict, ...) for a refusal.
    Threads, event loops and forked processes may share a client: each gets connections of its own where it needs them.
    A pickle of it holds its settings, with the key if one was given.

    >>> with MaasClient(url) as client:
    ...     print([model.name for model in client.models.list()])
    ['digits']
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._transport = Transport(Server.of(url, api_key), attempts)
        self.models = Models(self._transport)
        self.versions = Versions(self._transport)
        self.aliases = Aliases(self._transport)
        self.rollouts = Rollouts(self._transport)
        self.captures = Captures(self._transport)
        self.jobs = Jobs(self._transport)
        self.keys = Keys(self._transport)
        inference = Inference(self._transport, self.jobs, timeout_seconds)
        self.metadata = inference.metadata
        self.infer, self.infer_response = inference.infer, inference.infer_response
        self.infer_json, self.infer_later = inference.infer_json, inference.infer_later
        tasks = Tasks(self._transport, timeout_seconds)
        self.embed, self.rerank, self.classify = tasks.embed, tasks.rerank, tasks.classify

    @property
    def url(self) -> str:
        """The server's URL.

        >>> maas.url == url
        True
        """
        return self._transport.url

    def close(self) -> None:
        """Close the connections.

        >>> maas.close()
        """
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def push(
        self,
        path: str | Path,
        name: str,
        *,
        alias: str | None = None,
        golden: str | Path | None = None,
        example: Example | None = None,
        tolerance: Mapping[str, float] | None = None,
        quantize: str | None = None,
        quantize_tolerance: float | None = None,
        smoke_run: Literal["required", "optional"] = "required",
        task: str | None = None,
        variant: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        progress: Report | None = None,
        timeout_seconds: float = CHECK_SECONDS,
    ) -> ModelVersion:
        """Upload a new version of model `name`, wait until it is READY, then point `alias` at it.

        `path` is an .onnx file, or a folder: of that, the .onnx file, the data files that it names, labels.txt,
        example.npz or example.json, golden/, and an export's tokenizer.json or preprocessor_config.json with what
        belongs to it are sent. Of several .onnx files, `variant` names one: "int8" for onnx/model_int8.onnx. `task`
        ("embeddings", …; "none") replaces the one that is found in an export. The model is created if it is new, and
        removed if its first push is refused.
        `golden` is a folder of test vectors, which the version has to answer within the `tolerance` ("rtol", "atol").
        `example` are inputs that the model takes, a file .npz or .json or arrays by name, for a model that no generated
        input fits; with `smoke_run="optional"` it becomes READY without having run, and its `warnings` say so.
        `quantize` ("dynamic-int8") asks for a second form, kept if its outputs differ by at most `quantize_tolerance`
        of their largest value (0.05): the version's `quantized` tells. `progress` is called while files are hashed,
        uploaded and checked, from several threads but one at a time.
        Raises InvalidInput, UploadFailed, DeploymentFailed, TimedOut.

        >>> version = maas.push("model.onnx", "digits", alias="production")
        >>> version.version, version.status, version.aliases
        (3, 'READY', ('production',))
        """
        form = quantizing(quantize, quantize_tolerance)
        check_alias(alias)
        inputs = None if example is None else in_thread(example_file, example)
        vectors = None if golden is None else path_of("golden", golden)
        files = in_thread(version_files, path_of("path", path), vectors, inputs, variant).files
        options: NewOptions = {
            "description": description,
            "tags": tags,
            "tolerance": tolerance,
            "quantize": form,
            "smoke_run": smoke_run,
            "task": task,
        }
        ready = deploy(self.models, self.versions, name, files, options, progress, timeout_seconds)
        return ready if alias is None else release(self.versions, self.aliases, ready, alias)

    def batch(
        self,
        model: str,
        source: str | Path,
        version: str | int | None = None,
        *,
        output: str | None = None,
        columns: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        join: Literal["input"] | None = None,
        select: Sequence[str] | None = None,
        max_errors: int | None = None,
        batch_size: int | None = None,
        notify: str | None = None,
        shadow: Mapping[str, Any] | None = None,
        wait: bool = False,
        progress: Callable[[Progress | Job], None] | None = None,
    ) -> Job:
        """Predict every record of `source`: a file here, which is uploaded, or s3://… in the system's bucket.

        JSONL and CSV (also .gz), NPY or Parquet. `output` is a folder s3://… of the bucket; the job's own if not given.
        `columns` or else `exclude` choose the features of CSV and Parquet, `select` the outputs; `join` copies the
        input's columns to the output. More than `max_errors` bad records fail the job. `notify`, an https URL or the
        ARN of an SNS topic, is told when it has ended. `shadow` is a `version` that runs on the same records and is
        compared, as of an alias; the job's progress says how many differ. With `wait`, returns as `jobs.wait` does.
        `progress` gets what is hashed and uploaded, and with `wait` the job.
        Raises InvalidInput, UploadFailed; with `wait` also JobFailed.

        >>> job = maas.batch("digits", "rows.jsonl", "production", wait=True)
        >>> job.status, job.progress.rows
        ('SUCCEEDED', 3)
        """
        body = batch_body(
            model,
            version,
            output,
            notify,
            shadow,
            columns=columns,
            exclude=exclude,
            join=join,
            select=select,
            max_errors=max_errors,
            batch_size=batch_size,
        )
        job = submission.batch(self._transport, body, source, progress)
        return self.jobs.wait(job.id, progress=progress) if wait else job
