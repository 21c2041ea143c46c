"""Versions of the management API, and what it takes to push one."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from maas_client import download, upload
from maas_client.errors import ApiError, Conflict, DeploymentFailed, InvalidInput, NotFound, TimedOut, api_error
from maas_client.model_records import Download, ModelFile, ModelVersion, NewVersion, Progress, Upload
from maas_client.models_client import ModelsClient, change, filters, models_path

CHECK_SECONDS = 900.0  # as long as the deployment function may take
FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0


class VersionsClient(ModelsClient):
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
        query = filters(tag=tags, status=status, include_deleted=include_deleted)
        return [ModelVersion.of(one) for one in self._pages(models_path(model, "versions"), "versions", limit, query)]

    def version(self, model: str, version: int, *, include_deleted: bool = False) -> ModelVersion:
        query = filters(include_deleted=include_deleted)
        return ModelVersion.of(self._transport.call("GET", models_path(model, "versions", version), query=query))

    def create_version(
        self,
        model: str,
        files: Sequence[ModelFile],
        description: str = "",
        tags: Mapping[str, str] | None = None,
        tolerance: Mapping[str, float] | None = None,
        quantize: Mapping[str, Any] | None = None,
    ) -> NewVersion:
        """Declare a version's files; `push` does this and all that follows."""
        body: dict[str, Any] = {
            "files": [asdict(file) for file in files],
            "golden": dict(tolerance or {}),
            "description": description,
            "tags": dict(tags or {}),
        }
        if quantize:
            body["quantize"] = dict(quantize)
        answer = self._transport.call("POST", models_path(model, "versions"), body, creating=True)
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
        path = models_path(model, "versions", version)
        return ModelVersion.of(self._transport.call("PATCH", path, change(description, tags), if_match=if_match))

    def delete_version(
        self, model: str, version: int, *, force: bool = False, if_match: str | None = None
    ) -> tuple[ModelVersion, tuple[str, ...]]:
        """Soft. Also gives the aliases that went with it, which takes `force`; else raises Conflict naming them."""
        path, query = models_path(model, "versions", version), filters(force=force)
        answer = self._transport.call("DELETE", path, query=query, if_match=if_match)
        return ModelVersion.of(answer), tuple(answer["removed_aliases"])

    def restore_version(self, model: str, version: int) -> ModelVersion:
        path = models_path(model, "versions", version, "restore")
        return ModelVersion.of(self._transport.call("POST", path, repeatable=True))

    def purge_version(self, model: str, version: int) -> bool:
        """As `purge_model`."""
        return self._purge(models_path(model, "versions", version))

    def downloads(self, model: str, version: int) -> list[Download]:
        """A version's files as they were uploaded, each with a URL to get it from."""
        answer = self._transport.call("GET", models_path(model, "versions", version, "files"))
        return [Download.of(fields) for fields in answer["files"]]

    def download(
        self, model: str, version: int, folder: str | Path, progress: Callable[[Progress], None] | None = None
    ) -> list[Path]:
        """Get a version's files into `folder`, each under its name once its digest is right. Raises DownloadFailed."""
        return download.fetch(self.downloads(model, version), Path(folder), progress)

    def complete(self, model: str, version: int) -> ModelVersion:
        """Say that every file is there, so that the version is checked. Raises Conflict if one is not."""
        path = models_path(model, "versions", version, "complete")
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
        quantize: str | None = None,
        quantize_tolerance: float | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        progress: Callable[[Progress], None] | None = None,
        timeout_seconds: float = CHECK_SECONDS,
    ) -> ModelVersion:
        """Make a new READY version of model `name`, which is created if need be, and then point `alias` at it.

        `path` is an .onnx file, or a folder with one and its external data files. `golden` is a folder of test vectors,
        which the version has to answer within the `tolerance` of "rtol" and "atol". `quantize` ("dynamic-int8") asks
        for a second form, kept if its outputs differ by at most `quantize_tolerance` of their largest value (0.05): the
        version's `quantized` tells. `progress` is called while files are hashed, uploaded and checked, from several
        threads but one at a time.
        Raises InvalidInput, UploadFailed, DeploymentFailed, TimedOut.
        """
        if quantize_tolerance is not None and quantize is None:
            raise InvalidInput("a tolerance of quantising without it: give quantize, too")
        quantizing = {"scheme": quantize, "tolerance": quantize_tolerance}
        wish = {key: value for key, value in quantizing.items() if value is not None}
        files = upload.find_files(Path(path)) + (upload.find_golden(Path(golden)) if golden else [])
        self._ensure_model(name)
        declared = upload.declare(files, progress)
        new = self.create_version(name, declared, description, tags, tolerance, wish)
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
