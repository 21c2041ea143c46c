"""`maas.infer` and its kin: the inference API for every model."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from maas_client._async.jobs_api import AsyncJobs
from maas_client._async.transport import AsyncTransport
from maas_client.calls import deadline_after, seconds_until
from maas_client.errors import TooLarge
from maas_client.records.inference import InferenceResponse, ModelMetadata
from maas_client.records.jobs import Job

if TYPE_CHECKING:
    from maas_client.protocol.requests import Inputs, Signature
    from maas_client.records.inference import Outputs


class AsyncInference:
    """Runs models. `timeout_seconds` bounds a call without a time limit of its own."""

    def __init__(self, transport: AsyncTransport, jobs: AsyncJobs, timeout_seconds: float | None) -> None:
        self._transport, self._jobs, self._timeout_seconds = transport, jobs, timeout_seconds
        self._signatures: dict[str, Signature] = {}

    async def metadata(self, model: str, version: str | int | None = None) -> ModelMetadata:
        """The inputs and outputs of a version: its number, an alias, or None for the default one.

        >>> (await maas.metadata("digits", "production")).inputs
        (MetadataTensor(name='x', datatype='FP32', shape=(-1, 2)),)
        """
        from maas_client._async.inference import metadata

        return await metadata(self._transport, model, version, deadline_after(self._timeout_seconds))

    async def infer(
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
        headers: Mapping[str, str] | None = None,
        large: Literal["refuse", "later"] = "refuse",
    ) -> "Outputs":
        """Run a model. Gives its outputs by name, or those asked for, as row-major arrays.

        `inputs` are arrays by name, or the array of a model's only input. Lists and numbers become what the model's
        signature says, and so do arrays whose values stay exactly the same: smaller integers, float64 that float32
        holds, a single record without its batch axis, a column of single values. A frame gives several inputs their
        columns. Optional inputs may be left out. `version` is a number or an
        alias. Tensors go as bytes, or as JSON if not `binary`; with gzip where a call would not take them otherwise.
        `timeout_seconds` is for all of it; the server stops then too. `variant` asks for another form of the version,
        one that it was pushed with (`quantize`). `parameters` are the request's: options of a task, or {"task": "raw"}
        for its graph's tensors. `headers` go with the call, such as the one that an alias sticks to. With
        `large="later"`, what a call does not take (4.7 MB of bytes) is answered by way of `infer_later`.
        Raises InvalidRequest when an array does not fit the signature, TooLarge when a call does not take it,
        InvalidInput when it cannot be sent, NoAnswerInTime or DeadlineExceeded when it takes too long, InvalidResponse
        for an answer of another protocol.

        >>> (await maas.infer("digits", {"x": np.ones((1, 2), np.float32)}, version=2))["y"]
        array([[2., 2.]], dtype=float32)
        >>> (await maas.infer("digits", [[1, 2], [3, 4]], "production"))["y"].shape
        (2, 2)
        """
        response = await self.infer_response(
            model,
            inputs,
            version,
            outputs,
            request_id=request_id,
            binary=binary,
            timeout_seconds=timeout_seconds,
            variant=variant,
            parameters=parameters,
            headers=headers,
            large=large,
        )
        return response.outputs

    async def infer_response(
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
        headers: Mapping[str, str] | None = None,
        large: Literal["refuse", "later"] = "refuse",
    ) -> InferenceResponse:
        """Like `infer`, with the model and version that answered, and the request's id.

        >>> (await maas.infer_response("digits", [[1, 2]], "production")).model_version
        '1'
        """
        from maas_client._async.inference import infer, infer_later
        from maas_client.protocol.requests import Wanted

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        wanted = Wanted(
            model, version, outputs, request_id, binary, deadline, variant, parameters or {}, headers=headers or {}
        )
        try:
            return await infer(self._transport, inputs, wanted, self._signatures)
        except TooLarge:
            if large != "later":
                raise
        job = await infer_later(self._transport, inputs, wanted, None)
        return await self._jobs.answer_response(job, seconds_until(deadline))

    async def infer_json(
        self,
        model: str,
        request: Mapping[str, Any],
        version: str | int | None = None,
        *,
        timeout_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request of the Open Inference Protocol as it is. Gives the response as JSON.

        With `timeout_seconds` the request gets a `timeout` of that, unless it has one.

        >>> request = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
        >>> (await maas.infer_json("digits", request, 2))["outputs"][0]["data"]
        [2.0, 4.0]
        """
        from maas_client._async.inference import infer_json
        from maas_client.protocol.requests import Wanted

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        wanted = Wanted(model, version, deadline=deadline, headers=headers or {})
        return await infer_json(self._transport, request, wanted)

    async def infer_later(
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
        headers: Mapping[str, str] | None = None,
        notify: str | None = None,
    ) -> Job:
        """Like `infer`, but answered later, by `jobs.answer`: for more than a call takes, or more than 29 s.

        Large inputs are uploaded. `notify`, an https URL or the ARN of an SNS topic, is told when it has ended.

        >>> job = await maas.infer_later("digits", np.ones((1, 2), np.float32), 2)
        >>> (await maas.jobs.answer(job))["y"]
        array([[2., 2.]], dtype=float32)
        """
        from maas_client._async.inference import infer_later
        from maas_client.protocol.requests import Wanted

        wanted = Wanted(
            model, version, outputs, request_id, binary, None, variant, parameters or {}, headers=headers or {}
        )
        return await infer_later(self._transport, inputs, wanted, notify)
