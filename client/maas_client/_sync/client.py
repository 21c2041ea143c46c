# Made from _async/client.py by client/generate_sync.py: change that file.
"""The client of both APIs: /api/v1 for models, versions, aliases, jobs and keys, /v2 for inference."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from maas_client._sync import submission
from maas_client._sync.aliases_api import Aliases
from maas_client._sync.backend import in_thread
from maas_client._sync.jobs_api import Jobs
from maas_client._sync.keys_api import Keys
from maas_client._sync.models_api import Models
from maas_client._sync.pushing import deploy, release
from maas_client._sync.transport import Transport
from maas_client._sync.versions_api import CHECK_SECONDS, Versions
from maas_client.calls import ATTEMPTS, deadline_after, seconds_until
from maas_client.errors import TooLarge
from maas_client.example_files import Example, example_file
from maas_client.files import Report, quantizing
from maas_client.inference_records import ClassScore, InferenceResponse, ModelMetadata, Ranked
from maas_client.job_records import Job, batch_body
from maas_client.model_records import ModelVersion
from maas_client.name_rules import check_alias
from maas_client.settings import Server
from maas_client.transfer_records import Progress
from maas_client.version_files import NewOptions, version_files

if TYPE_CHECKING:
    import numpy as np

    from maas_client.inference_records import Outputs
    from maas_client.protocol.requests import Inputs, Signature, Wanted
    from maas_client.task_inputs import Items


class MaasClient:
    """One MaaS server. Use it as a context manager, or `close` it.

    `models`, `versions`, `aliases`, `jobs` and `keys` manage what the server has; `push`, `infer` and `batch` are the
    work itself. `url` and `api_key` default to MAAS_URL and MAAS_API_KEY, then to http://127.0.0.1:8080 and no key.
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
        self._timeout_seconds = timeout_seconds
        self._signatures: dict[tuple[str, str], Signature] = {}
        self.models = Models(self._transport)
        self.versions = Versions(self._transport)
        self.aliases = Aliases(self._transport)
        self.jobs = Jobs(self._transport)
        self.keys = Keys(self._transport)

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
        vectors = None if golden is None else Path(golden)
        files = in_thread(version_files, Path(path), vectors, inputs, variant).files
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

    def metadata(self, model: str, version: str | int | None = None) -> ModelMetadata:
        """The inputs and outputs of a version: its number, an alias, or None for the default one.

        >>> maas.metadata("digits", "production").inputs
        (MetadataTensor(name='x', datatype='FP32', shape=(-1, 2)),)
        """
        from maas_client._sync.inference import metadata

        return metadata(self._transport, model, version, deadline_after(self._timeout_seconds))

    def infer(
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
        parameters: Mapping[str, Any] | None = None,
        large: Literal["refuse", "later"] = "refuse",
    ) -> "Outputs":
        """Run a model. Gives its outputs by name, or those asked for, as row-major arrays.

        `inputs` are arrays by name, or the array of a model's only input. Lists and numbers become what the model's
        signature says, and so do arrays whose values stay exactly the same: smaller integers, float64 that float32
        holds, a single record without its batch axis. Optional inputs may be left out. `version` is a number or an
        alias. Tensors go as bytes, or as JSON if not `binary`; with gzip where a call would not take them otherwise.
        `timeout_seconds` is for all of it; the server stops then too. `variant` asks for another form of the version,
        one that it was pushed with (`quantize`). `parameters` are the request's: options of a task, or {"task": "raw"}
        for its graph's tensors. With `large="later"`, what a call does not take (4.7 MB of bytes) is answered by way of
        `infer_later`.
        Raises InvalidRequest when an array does not fit the signature, TooLarge when a call does not take it,
        InvalidInput when it cannot be sent, NoAnswerInTime or DeadlineExceeded when it takes too long, InvalidResponse
        for an answer of another protocol.

        >>> (maas.infer("digits", {"x": np.ones((1, 2), np.float32)}, version=2))["y"]
        array([[2., 2.]], dtype=float32)
        >>> maas.infer("digits", [[1, 2], [3, 4]], "production")["y"].shape
        (2, 2)
        """
        response = self.infer_response(
            model,
            inputs,
            version,
            outputs,
            request_id=request_id,
            binary=binary,
            timeout_seconds=timeout_seconds,
            variant=variant,
            parameters=parameters,
            large=large,
        )
        return response.outputs

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
        parameters: Mapping[str, Any] | None = None,
        large: Literal["refuse", "later"] = "refuse",
    ) -> InferenceResponse:
        """Like `infer`, with the model and version that answered, and the request's id.

        >>> maas.infer_response("digits", [[1, 2]], "production").model_version
        '1'
        """
        from maas_client._sync.inference import infer, infer_later
        from maas_client.protocol.requests import Wanted

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        wanted = Wanted(model, version, outputs, request_id, binary, deadline, variant, parameters or {})
        try:
            return infer(self._transport, inputs, wanted, self._signatures)
        except TooLarge:
            if large != "later":
                raise
        job = infer_later(self._transport, inputs, wanted, None)
        return self.jobs.answer_response(job, seconds_until(deadline))

    def infer_json(
        self,
        model: str,
        request: Mapping[str, Any],
        version: str | int | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Send a request of the Open Inference Protocol as it is. Gives the response as JSON.

        With `timeout_seconds` the request gets a `timeout` of that, unless it has one.

        >>> request = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
        >>> maas.infer_json("digits", request, 2)["outputs"][0]["data"]
        [2.0, 4.0]
        """
        from maas_client._sync.inference import infer_json

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        return infer_json(self._transport, model, request, version, deadline)

    def infer_later(
        self,
        model: str,
        inputs: "Inputs",
        version: str | int | None = None,
        outputs: Sequence[str] | None = None,
        *,
        request_id: str | None = None,
        binary: bool = True,
        variant: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        notify: str | None = None,
    ) -> Job:
        """Like `infer`, but answered later, by `jobs.answer`: for more than a call takes, or more than 29 s.

        Large inputs are uploaded. `notify`, an https URL or the ARN of an SNS topic, is told when it has ended.

        >>> job = maas.infer_later("digits", np.ones((1, 2), np.float32), 2)
        >>> maas.jobs.answer(job)["y"]
        array([[2., 2.]], dtype=float32)
        """
        from maas_client._sync.inference import infer_later
        from maas_client.protocol.requests import Wanted

        wanted = Wanted(model, version, outputs, request_id, binary, None, variant, parameters or {})
        return infer_later(self._transport, inputs, wanted, notify)

    def embed(
        self,
        model: str,
        items: "Items",
        version: str | int | None = None,
        *,
        dimensions: int | None = None,
        truncate: bool = False,
        prompt_name: str | None = None,
        timeout_seconds: float | None = None,
    ) -> "np.ndarray":
        """Vectors of texts or images, a row each: (items, dimensions), float32.

        `items` are texts (str), or image files as their path (Path) or content (bytes); long lists go in several calls.
        `dimensions` keeps the first ones of each vector, normalised anew if the model's are. Texts longer than the
        model takes are refused, unless `truncate`. `prompt_name` names one of the model's prompts: "query".
        Raises InvalidRequest for a text that is too long, and for a model whose task is another.

        >>> maas.embed("sentences", ["The cat sat on the mat.", "It rains."]).shape
        (2, 3)
        """
        from maas_client._sync.tasks import embed

        parameters = {"dimensions": dimensions, "truncate": truncate or None, "prompt_name": prompt_name}
        return embed(self._transport, items, self._wanted(model, version, parameters, timeout_seconds))

    def rerank(
        self,
        model: str,
        query: str,
        texts: Sequence[str],
        version: str | int | None = None,
        *,
        top_n: int | None = None,
        timeout_seconds: float | None = None,
    ) -> list[Ranked]:
        """The texts, or the best `top_n` of them, by how well they answer `query`, the best first.

        Each score is between 0 and 1. A text too long for the model is cut. Raises InvalidRequest as `embed` does.

        >>> [found.text for found in maas.rerank("reranker", "cats", ["dogs bark", "cats purr"])]
        ['cats purr', 'dogs bark']
        """
        from maas_client._sync.tasks import rerank

        return rerank(self._transport, query, texts, self._wanted(model, version, {}, timeout_seconds), top_n)

    def classify(
        self,
        model: str,
        items: "Items",
        version: str | int | None = None,
        *,
        top: int | None = None,
        labels: Sequence[str] | None = None,
        multi_label: bool = False,
        truncate: bool = False,
        timeout_seconds: float | None = None,
    ) -> list[tuple[ClassScore, ...]]:
        """The classes of texts or images, `items` as of `embed`: for each all of them, or the `top` best, best first.

        A zero-shot classifier chooses among `labels`, for each by itself if `multi_label`. Raises InvalidRequest as
        `embed` does.

        >>> maas.classify("reviews", ["I liked it a lot"], top=1)[0]
        (ClassScore(label='positive', score=0.75),)
        """
        from maas_client._sync.tasks import classify

        parameters = {"truncate": truncate or None, "multi_label": multi_label or None}
        wanted = self._wanted(model, version, parameters, timeout_seconds)
        return classify(self._transport, items, wanted, top, labels)

    def _wanted(
        self, model: str, version: str | int | None, parameters: Mapping[str, Any], timeout_seconds: float | None
    ) -> "Wanted":
        """Of a task, with those parameters that are given."""
        from maas_client.protocol.requests import Wanted

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        given = {name: value for name, value in parameters.items() if value is not None}
        return Wanted(model, version, deadline=deadline, parameters=given)

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
        wait: bool = False,
        progress: Callable[[Progress | Job], None] | None = None,
    ) -> Job:
        """Predict every record of `source`: a file here, which is uploaded, or s3://… in the system's bucket.

        JSONL and CSV (also .gz), NPY or Parquet. `output` is a folder s3://… of the bucket; the job's own if not given.
        `columns` or else `exclude` choose the features of CSV and Parquet, `select` the outputs; `join` copies the
        input's columns to the output. More than `max_errors` bad records fail the job. `notify`, an https URL or the
        ARN of an SNS topic, is told when it has ended. With `wait`, returns as `jobs.wait` does. `progress` gets what
        is hashed and uploaded, and with `wait` the job.
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
            columns=columns,
            exclude=exclude,
            join=join,
            select=select,
            max_errors=max_errors,
            batch_size=batch_size,
        )
        job = submission.batch(self._transport, body, source, progress)
        return self.jobs.wait(job.id, progress=progress) if wait else job
