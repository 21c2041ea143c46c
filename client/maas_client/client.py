"""The typed client of both APIs: /api/v1 for models, versions and aliases, /v2 for inference."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from maas_client import download, upload
from maas_client.errors import ApiError, Conflict, DeploymentFailed, NotFound, TimedOut, api_error
from maas_client.records import (
    Alias,
    Download,
    HistoryEntry,
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

    def models(
        self,
        limit: int | None = None,
        *,
        prefix: str = "",
        tags: Sequence[str] = (),
        status: str | None = None,
        include_deleted: bool = False,
    ) -> list[RegisteredModel]:
        """All models by name, or the first `limit`, that have these tags (KEY or KEY=VALUE)."""
        query = _filters(prefix=prefix, tag=tags, status=status, include_deleted=include_deleted)
        return [RegisteredModel.of(fields) for fields in self._pages("/api/v1/models", "models", limit, query)]

    def model(self, name: str, *, include_deleted: bool = False) -> RegisteredModel:
        """Raises Gone for a deleted one, unless `include_deleted`; so do the other methods that name a model."""
        query = _filters(include_deleted=include_deleted)
        return RegisteredModel.of(self._transport.call("GET", _models(name), query=query))

    def create_model(self, name: str, description: str = "", tags: Mapping[str, str] | None = None) -> RegisteredModel:
        """Raises Conflict if there is one of this name, also a deleted one."""
        body = {"name": name, "description": description, "tags": dict(tags or {})}
        return RegisteredModel.of(self._transport.call("POST", "/api/v1/models", body, creating=True))

    def update_model(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        if_match: str | None = None,
    ) -> RegisteredModel:
        """What is not given stays; a tag of None goes. Raises PreconditionFailed if `if_match` is not its ETag now."""
        body = _change(description, tags)
        return RegisteredModel.of(self._transport.call("PATCH", _models(name), body, if_match=if_match))

    def delete_model(self, name: str, *, if_match: str | None = None) -> RegisteredModel:
        """Out of sight with all its versions; `restore_model` brings everything back until it is purged."""
        return RegisteredModel.of(self._transport.call("DELETE", _models(name), if_match=if_match))

    def restore_model(self, name: str) -> RegisteredModel:
        return RegisteredModel.of(self._transport.call("POST", _models(name, "restore"), repeatable=True))

    def purge_model(self, name: str) -> bool:
        """For good. True when all is gone; False when there is so much that it takes another call (or the schedule).

        Raises Conflict if it is not deleted.
        """
        return self._purge(_models(name))

    def history(
        self, model: str, limit: int | None = None, *, kind: str | None = None, actor: str | None = None
    ) -> list[HistoryEntry]:
        """Changes, newest first, also of deleted and purged models. `kind` is like alias.set or version.ready."""
        query = _filters(kind=kind, actor=actor)
        return [HistoryEntry.of(one) for one in self._pages(_models(model, "history"), "entries", limit, query)]

    # -------------------------------------------------------------- versions

    def versions(
        self,
        model: str,
        limit: int | None = None,
        *,
        tags: Sequence[str] = (),
        status: str | None = None,
        include_deleted: bool = False,
    ) -> list[ModelVersion]:
        """All versions of a model, newest first, or the `limit` newest. `tags` are KEY or KEY=VALUE."""
        query = _filters(tag=tags, status=status, include_deleted=include_deleted)
        return [ModelVersion.of(one) for one in self._pages(_models(model, "versions"), "versions", limit, query)]

    def version(self, model: str, version: int, *, include_deleted: bool = False) -> ModelVersion:
        query = _filters(include_deleted=include_deleted)
        return ModelVersion.of(self._transport.call("GET", _models(model, "versions", version), query=query))

    def create_version(
        self,
        model: str,
        files: Sequence[ModelFile],
        description: str = "",
        tags: Mapping[str, str] | None = None,
        tolerance: Mapping[str, float] | None = None,
    ) -> NewVersion:
        """Declare a version's files; `push` does this and all that follows."""
        declared = [asdict(file) for file in files]
        body = {
            "files": declared,
            "golden": dict(tolerance or {}),
            "description": description,
            "tags": dict(tags or {}),
        }
        answer = self._transport.call("POST", _models(model, "versions"), body, creating=True)
        return NewVersion(ModelVersion.of(answer), tuple(Upload.of(fields) for fields in answer["uploads"]))

    def update_version(
        self,
        model: str,
        version: int,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        if_match: str | None = None,
    ) -> ModelVersion:
        """Description and tags, as `update_model`; what was deployed never changes."""
        path = _models(model, "versions", version)
        return ModelVersion.of(self._transport.call("PATCH", path, _change(description, tags), if_match=if_match))

    def delete_version(
        self, model: str, version: int, *, force: bool = False, if_match: str | None = None
    ) -> tuple[ModelVersion, tuple[str, ...]]:
        """Soft. Also gives the aliases that went with it, which takes `force`; else raises Conflict naming them."""
        path, query = _models(model, "versions", version), _filters(force=force)
        answer = self._transport.call("DELETE", path, query=query, if_match=if_match)
        return ModelVersion.of(answer), tuple(answer["removed_aliases"])

    def restore_version(self, model: str, version: int) -> ModelVersion:
        path = _models(model, "versions", version, "restore")
        return ModelVersion.of(self._transport.call("POST", path, repeatable=True))

    def purge_version(self, model: str, version: int) -> bool:
        """As `purge_model`."""
        return self._purge(_models(model, "versions", version))

    def downloads(self, model: str, version: int) -> list[Download]:
        """A version's files as they were uploaded, each with a URL to get it from."""
        answer = self._transport.call("GET", _models(model, "versions", version, "files"))
        return [Download.of(fields) for fields in answer["files"]]

    def download(
        self, model: str, version: int, folder: str | Path, progress: Callable[[Progress], None] | None = None
    ) -> list[Path]:
        """Get a version's files into `folder`, each under its name once its digest is right. Raises DownloadFailed."""
        return download.fetch(self.downloads(model, version), Path(folder), progress)

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
        golden: str | Path | None = None,
        tolerance: Mapping[str, float] | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        progress: Callable[[Progress], None] | None = None,
        timeout_seconds: float = CHECK_SECONDS,
    ) -> ModelVersion:
        """Make a new READY version of model `name`, which is created if need be, and then point `alias` at it.

        `path` is an .onnx file, or a folder with one and its external data files. `golden` is a folder of test vectors,
        which the version has to answer within the `tolerance` of "rtol" and "atol". `progress` is called while files
        are hashed, uploaded and checked, from several threads but one at a time.
        Raises InvalidInput, UploadFailed, DeploymentFailed, TimedOut.
        """
        files = upload.find_files(Path(path)) + (upload.find_golden(Path(golden)) if golden else [])
        self._ensure_model(name)
        declared = upload.declare(files, progress)
        new = self.create_version(name, declared, description, tags, tolerance)
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

    def alias_at(self, model: str, alias: str, at: datetime) -> int | None:
        """The version that the alias pointed to at that time (with a time zone), or None: who was live when."""
        answer = self._transport.call("GET", _models(model, "aliases", alias), query={"at": at.isoformat()})
        version: int | None = answer["version"]
        return version

    def set_alias(self, model: str, alias: str, version: int, *, if_match: str | None = None) -> Alias:
        """Make or move an alias. Raises Conflict if the version is not READY."""
        path, body = _models(model, "aliases", alias), {"version": version}
        return Alias.of(self._transport.call("PUT", path, body, if_match=if_match))

    def roll_back(self, model: str, alias: str, *, if_match: str | None = None) -> Alias:
        """Point an alias where it pointed before its last change. Raises Conflict if that was nowhere."""
        path = _models(model, "aliases", alias, "rollback")
        return Alias.of(self._transport.call("POST", path, if_match=if_match))

    def delete_alias(self, model: str, alias: str, *, if_match: str | None = None) -> None:
        self._transport.call("DELETE", _models(model, "aliases", alias), if_match=if_match)

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

    def _pages(
        self, path: str, key: str, limit: int | None, filters: Mapping[str, str | list[str]]
    ) -> Iterator[dict[str, Any]]:
        query = dict(filters)
        left = limit
        while left is None or left > 0:
            query["limit"] = str(PAGE if left is None else min(left, PAGE))
            answer = self._transport.call("GET", path, query=query)
            yield from answer[key]
            if not answer.get("next_page_token"):
                return
            query["page_token"] = answer["next_page_token"]
            left = None if left is None else left - len(answer[key])

    def _purge(self, path: str) -> bool:
        answer = self._transport.call("DELETE", path, query={"purge": "true"})
        return answer is None  # 204; while it goes on, 202


def _filters(**values: str | bool | Sequence[str] | None) -> dict[str, str | list[str]]:
    """A query string's values, without what says nothing."""
    return {
        name: "true" if value is True else value if isinstance(value, str) else list(value)
        for name, value in values.items()
        if value
    }


def _change(description: str | None, tags: Mapping[str, str | None] | None) -> dict[str, Any]:
    return ({} if description is None else {"description": description}) | {"tags": dict(tags or {})}


def _models(*parts: str | int) -> str:
    return "/".join(["/api/v1/models", *(quote(str(part), safe="") for part in parts)])


def _inference(model: str, version: str | int | None, *rest: str) -> str:
    which = () if version is None else ("versions", str(version))
    return "/".join(["/v2/models", *(quote(part, safe="") for part in (model, *which)), *rest])
