"""The typed client of both APIs: /api/v1 for models, versions and aliases, /v2 for inference."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from maas_client import upload
from maas_client.errors import ApiError, Conflict, DeploymentFailed, NotFound, TimedOut, api_error
from maas_client.records import (
    Alias,
    InferenceResponse,
    ModelFile,
    ModelMetadata,
    ModelVersion,
    NewVersion,
    Progress,
    RegisteredModel,
    Upload,
)
from maas_client.transport import Transport

if TYPE_CHECKING:
    import numpy as np

PAGE = 100
CHECK_SECONDS = 900.0  # as long as the deployment function may take
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0


class MaasClient:
    """Calls one MaaS server; use it as a context manager or `close` it. Threads may share it.

    `url` and `api_key` default to MAAS_URL and MAAS_API_KEY, then to http://127.0.0.1:8080 and no key. With no key,
    calls to API Gateway or a Function URL are signed with the AWS credentials found (needs botocore).
    Every method raises CannotConnect when no answer comes, an ApiError (NotFound, Conflict, ...) when it is a refusal.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        self._transport = Transport(url, api_key)

    @property
    def url(self) -> str:
        return self._transport.url

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---------------------------------------------------------------- models

    def models(self, limit: int | None = None) -> list[RegisteredModel]:
        """All models by name, or the first `limit`."""
        return [RegisteredModel.of(fields) for fields in self._pages("/api/v1/models", "models", limit)]

    def model(self, name: str) -> RegisteredModel:
        return RegisteredModel.of(self._transport.call("GET", _models(name)))

    def create_model(self, name: str, description: str = "", tags: Mapping[str, str] | None = None) -> RegisteredModel:
        """Raises Conflict if there is one of this name."""
        body = {"name": name, "description": description, "tags": dict(tags or {})}
        return RegisteredModel.of(self._transport.call("POST", "/api/v1/models", body))

    # -------------------------------------------------------------- versions

    def versions(self, model: str, limit: int | None = None) -> list[ModelVersion]:
        """All versions of a model, newest first, or the `limit` newest."""
        return [ModelVersion.of(fields) for fields in self._pages(_models(model, "versions"), "versions", limit)]

    def version(self, model: str, version: int) -> ModelVersion:
        return ModelVersion.of(self._transport.call("GET", _models(model, "versions", version)))

    def create_version(
        self,
        model: str,
        files: Sequence[ModelFile],
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> NewVersion:
        """Declare a version's files; `push` does this and all that follows."""
        body = {"files": [asdict(file) for file in files], "description": description, "tags": dict(tags or {})}
        answer = self._transport.call("POST", _models(model, "versions"), body)
        return NewVersion(ModelVersion.of(answer), tuple(Upload.of(fields) for fields in answer["uploads"]))

    def complete(self, model: str, version: int) -> ModelVersion:
        """Say that every file is there, so that the version is checked. Raises Conflict if one is not."""
        path = _models(model, "versions", version, "complete")
        return ModelVersion.of(self._transport.call("POST", path, repeatable=True))

    def wait_until_ready(self, model: str, version: int, timeout_seconds: float = CHECK_SECONDS) -> ModelVersion:
        """Raises DeploymentFailed when the check refuses the version, TimedOut when it does not end in time."""
        deadline = time.monotonic() + timeout_seconds
        pause_seconds = FIRST_LOOK_SECONDS
        while (found := self.version(model, version)).status != "READY":
            if found.status == "FAILED":
                raise DeploymentFailed(model, version, found.status_reason)
            if time.monotonic() + pause_seconds > deadline:
                raise TimedOut(model, version, found.status, timeout_seconds)
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 1.5, LONGEST_PAUSE_SECONDS)
        return found

    def push(
        self,
        path: str | Path,
        name: str,
        *,
        alias: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        progress: Callable[[Progress], None] | None = None,
        timeout_seconds: float = CHECK_SECONDS,
    ) -> ModelVersion:
        """Make a new READY version of model `name`, which is created if need be, and then point `alias` at it.

        `path` is an .onnx file, or a folder with one and its external data files. `progress` is called while files are
        hashed, uploaded and checked, from several threads but one at a time.
        Raises InvalidInput, UploadFailed, DeploymentFailed, TimedOut.
        """
        files = upload.find_files(Path(path))
        self._ensure_model(name)
        declared = upload.declare(files, progress)
        new = self.create_version(name, declared, description, tags)
        upload.send(new.uploads, files, progress)
        if progress:
            progress(Progress("checking", 0, 0))
        number = self.complete(name, new.version.version).version
        ready = self.wait_until_ready(name, number, timeout_seconds)
        if alias is None:
            return ready
        try:
            self.set_alias(name, alias, number)
        except ApiError as error:
            message = f"version {number} is READY, but alias '{alias}' was not set: {error.message}"
            raise api_error(error.status, message, error.field) from error
        return self.version(name, number)

    def _ensure_model(self, name: str) -> None:
        try:
            self.model(name)
        except NotFound:
            with suppress(Conflict):  # someone else just did
                self.create_model(name)

    # --------------------------------------------------------------- aliases

    def aliases(self, model: str) -> list[Alias]:
        answer = self._transport.call("GET", _models(model, "aliases"))
        return [Alias.of(fields) for fields in answer["aliases"]]

    def alias(self, model: str, alias: str) -> Alias:
        return Alias.of(self._transport.call("GET", _models(model, "aliases", alias)))

    def set_alias(self, model: str, alias: str, version: int) -> Alias:
        """Make or move an alias. Raises Conflict if the version is not READY."""
        return Alias.of(self._transport.call("PUT", _models(model, "aliases", alias), {"version": version}))

    def delete_alias(self, model: str, alias: str) -> None:
        self._transport.call("DELETE", _models(model, "aliases", alias))

    # ------------------------------------------------------------- inference

    def metadata(self, model: str, version: str | int | None = None) -> ModelMetadata:
        """The inputs and outputs of a version: its number, an alias, or None for what is served by default."""
        return ModelMetadata.of(self._transport.call("GET", _inference(model, version)))

    def infer(
        self,
        model: str,
        inputs: "Mapping[str, np.ndarray]",
        version: str | int | None = None,
        outputs: Sequence[str] | None = None,
    ) -> "dict[str, np.ndarray]":
        """The outputs by name, or those asked for. Arrays are row-major, shaped as the model's signature says.

        Raises InvalidRequest when an array does not fit the signature, InvalidInput when JSON cannot carry it.
        """
        return self.infer_response(model, inputs, version, outputs).outputs

    def infer_response(
        self,
        model: str,
        inputs: "Mapping[str, np.ndarray]",
        version: str | int | None = None,
        outputs: Sequence[str] | None = None,
    ) -> InferenceResponse:
        """Like `infer`, with the model and version that answered."""
        from maas_client.tensors import decode_response, encode_request

        return decode_response(self.infer_json(model, encode_request(inputs, outputs), version))

    def infer_json(self, model: str, request: Mapping[str, Any], version: str | int | None = None) -> dict[str, Any]:
        """Send an inference request of the Open Inference Protocol as it is; the response likewise."""
        path = _inference(model, version, "infer")
        answer: dict[str, Any] = self._transport.call("POST", path, request, repeatable=True)
        return answer

    # ------------------------------------------------------------------ HTTP

    def _pages(self, path: str, key: str, limit: int | None) -> Iterator[dict[str, Any]]:
        query: dict[str, str] = {}
        left = limit
        while left is None or left > 0:
            query["limit"] = str(PAGE if left is None else min(left, PAGE))
            answer = self._transport.call("GET", path, query=query)
            yield from answer[key]
            if not answer.get("next_page_token"):
                return
            query["page_token"] = answer["next_page_token"]
            left = None if left is None else left - len(answer[key])


def _models(*parts: str | int) -> str:
    return "/".join(["/api/v1/models", *(quote(str(part), safe="") for part in parts)])


def _inference(model: str, version: str | int | None, *rest: str) -> str:
    which = () if version is None else ("versions", str(version))
    return "/".join(["/v2/models", *(quote(part, safe="") for part in (model, *which)), *rest])
