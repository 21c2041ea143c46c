"""Inference for asyncio: many predictions in flight at a time, on connections that are kept."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from maas_client.calls import ATTEMPTS, deadline_after
from maas_client.job_records import Job
from maas_client.model_records import InferenceResponse, ModelMetadata
from maas_client.transport import AsyncTransport
from maas_client.watch import Watch

if TYPE_CHECKING:
    from maas_client.inference import Inputs, Signature
    from maas_client.model_records import Outputs


class AsyncMaasClient:
    """The inference of MaasClient as coroutines. Use it as an async context manager, or await `close`, in one loop."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        """The arguments are those of MaasClient."""
        self._transport = AsyncTransport(url, api_key, attempts)
        self._timeout_seconds = timeout_seconds
        self._signatures: dict[tuple[str, str], Signature] = {}

    @property
    def url(self) -> str:
        return self._transport.url

    async def close(self) -> None:
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def metadata(self, model: str, version: str | int | None = None) -> ModelMetadata:
        """As `MaasClient.metadata`."""
        from maas_client.inference import metadata

        return await self._transport.run(metadata(model, version, deadline_after(self._timeout_seconds)))

    async def predict(
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
        """As `MaasClient.predict`."""
        answered = await self.infer_response(
            model,
            inputs,
            version,
            outputs,
            request_id=request_id,
            binary=binary,
            timeout_seconds=timeout_seconds,
            variant=variant,
        )
        return answered.outputs

    infer = predict

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
    ) -> InferenceResponse:
        """Like `predict`, with the model and version that answered, and the request's id."""
        from maas_client.inference import Wanted, predict

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        wanted = Wanted(model, version, outputs, request_id, binary, deadline, variant)
        return await self._transport.run(predict(inputs, wanted, self._signatures))

    async def infer_json(
        self,
        model: str,
        request: Mapping[str, Any],
        version: str | int | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """As `MaasClient.infer_json`."""
        from maas_client.inference import infer_json

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        return await self._transport.run(infer_json(model, request, version, deadline))

    async def infer_later(
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
        """As `MaasClient.infer_later`."""
        from maas_client import deferred
        from maas_client.inference import Wanted, request_body

        body = await self._transport.run(request_body(inputs, Wanted(model, version, outputs, request_id, binary)))
        if len(body.content) <= deferred.INLINE_BYTES:
            return await self._transport.run(deferred.submit(model, version, body, notify))
        with deferred.spooled(body) as (file, declared):
            new = await self._transport.run(deferred.reserve(model, version, body, declared, notify))
            try:
                await asyncio.to_thread(deferred.upload, new, file)
            except BaseException:
                await self._transport.run(deferred.cancel(new.job.id))
                raise
        return await self._transport.run(deferred.complete(new.job.id))

    async def deferred_answer(self, job: Job | str, timeout_seconds: float | None = None) -> "Outputs":
        """As `MaasClient.deferred_answer`."""
        return (await self.deferred_response(job, timeout_seconds)).outputs

    async def deferred_response(self, job: Job | str, timeout_seconds: float | None = None) -> InferenceResponse:
        """As `MaasClient.deferred_response`."""
        from maas_client import deferred

        watch = Watch(timeout_seconds)
        while True:
            found = await self._transport.run(deferred.job(job if isinstance(job, str) else job.id))
            pause = watch.pause_after(found)
            if pause is None:
                break
            await asyncio.sleep(pause)
        listed = await self._transport.run(deferred.results(found))
        return await asyncio.to_thread(deferred.response, listed)
