"""Inference for asyncio: many predictions in flight at a time, on connections that are kept."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from maas_client.calls import ATTEMPTS, deadline_after
from maas_client.records import InferenceResponse, ModelMetadata
from maas_client.transport import AsyncTransport

if TYPE_CHECKING:
    from maas_client.inference import Inputs, Signature
    from maas_client.records import Outputs


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
