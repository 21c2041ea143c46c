"""`maas.versions`: versions of the management API."""

import builtins
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from operator import index
from pathlib import Path
from typing import Any, Literal

from maas_client._async import downloads
from maas_client._async.backend import sleep
from maas_client._async.transport import AsyncTransport
from maas_client.arguments import by_name, instance, listed, path, seconds, texts
from maas_client.calls import api_path, changes, filters, inference_path
from maas_client.errors import DeploymentFailed, InvalidInput, NoAnswerInTime, TimedOut
from maas_client.files import Report
from maas_client.name_rules import check_listed
from maas_client.reading import field_of, read
from maas_client.records.inference import ShapeProfile
from maas_client.records.models import DeletedVersion, ModelVersion, NewVersion
from maas_client.records.transfers import Download, ModelFile, Upload
from maas_client.watch import FIRST_LOOK_SECONDS, LONGEST_PAUSE_SECONDS

CHECK_SECONDS = 900.0  # as long as the deployment function may take


class AsyncVersions:
    """Versions of a model, by number. `push` makes one."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self,
        model: str,
        limit: int | None = None,
        *,
        tags: Sequence[str] = (),
        status: str | None = None,
        include_deleted: bool = False,
    ) -> builtins.list[ModelVersion]:
        """All versions of a model, newest first, or the `limit` newest. `tags` are KEY or KEY=VALUE.

        >>> [version.version for version in await maas.versions.list("digits", status="READY")]
        [2, 1]
        """
        query = filters(tag=texts("tags", tags), status=status, include_deleted=include_deleted)
        return await self._transport.pages(_path(model), "versions", ModelVersion, limit, query)

    async def get(self, model: str, version: int, *, include_deleted: bool = False) -> ModelVersion:
        """One version. Raises NotFound; Gone for a deleted one, unless `include_deleted`.

        >>> (await maas.versions.get("digits", 1)).inputs
        (MetadataTensor(name='x', datatype='FP32', shape=(-1, 2)),)
        """
        query = filters(include_deleted=include_deleted)
        return read(ModelVersion, await self._transport.call("GET", _path(model, version), query=query))

    async def create(
        self,
        model: str,
        files: Sequence[ModelFile],
        description: str = "",
        tags: Mapping[str, str] | None = None,
        tolerance: Mapping[str, float] | None = None,
        quantize: Mapping[str, Any] | None = None,
        smoke_run: Literal["required", "optional"] = "required",
        task: str | None = None,
    ) -> NewVersion:
        """Declare a version's files; `push` does this, the upload and all that follows.

        >>> new = await maas.versions.create("digits", [ModelFile("model.onnx", 4, "0" * 64)])
        >>> new.version.status, len(new.uploads[0].parts)
        ('PENDING_UPLOAD', 1)
        """
        body: dict[str, Any] = {
            "files": [
                asdict(instance(f"files[{index}]", file, ModelFile))
                for index, file in enumerate(listed("files", files))
            ],
            "golden": by_name("tolerance", tolerance or {}),
            "description": description,
            "tags": by_name("tags", tags or {}),
        }
        if quantize:
            body["quantize"] = by_name("quantize", quantize)
        if smoke_run != "required":
            body["smoke_run"] = smoke_run
        if task is not None:
            body["task"] = task
        answer = await self._transport.call("POST", _path(model), body, creating=True)
        return NewVersion(read(ModelVersion, answer), field_of(answer, "uploads", tuple[Upload, ...]))

    async def update(
        self,
        model: str,
        version: int,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        if_match: str | None = None,
    ) -> ModelVersion:
        """Change description and tags, as `maas.models.update` does. The files of a version never change.

        >>> (await maas.versions.update("digits", 1, description="the first")).description
        'the first'
        """
        path, body = _path(model, version), changes(description, tags)
        return read(ModelVersion, await self._transport.call("PATCH", path, body, if_match=if_match))

    async def delete(
        self, model: str, version: int, *, force: bool = False, if_match: str | None = None
    ) -> DeletedVersion:
        """Hide a version until it is restored or purged.

        Raises Conflict while aliases lead to it, unless `force`: then they lose this route, and those without another
        are removed.

        >>> (await maas.versions.delete("digits", 1, force=True)).removed_aliases
        ('production',)
        """
        path, query = _path(model, version), filters(force=force)
        answer = await self._transport.call("DELETE", path, query=query, if_match=if_match)
        removed, changed = (field_of(answer, name, tuple[str, ...]) for name in ("removed_aliases", "changed_aliases"))
        return DeletedVersion(read(ModelVersion, answer), removed, changed)

    async def restore(self, model: str, version: int) -> ModelVersion:
        """Bring a deleted version back as it was.

        >>> _ = await maas.versions.delete("digits", 2)
        >>> (await maas.versions.restore("digits", 2)).status
        'READY'
        """
        return read(ModelVersion, await self._transport.call("POST", _path(model, version, "restore"), repeatable=True))

    async def purge(self, model: str, version: int) -> bool:
        """Remove a deleted version for good. False while files are left: call again, or leave it to the schedule.

        Raises Conflict if it is not deleted.

        >>> _ = await maas.versions.delete("digits", 2)
        >>> await maas.versions.purge("digits", 2)
        True
        """
        return await self._transport.purge(_path(model, version))

    async def files(self, model: str, version: int) -> builtins.list[Download]:
        """A version's files as they were uploaded, each with a URL that is good for an hour.

        >>> [(file.name, file.size_bytes) for file in await maas.versions.files("digits", 1)]
        [('model.onnx', 4)]
        """
        answer = await self._transport.call("GET", _path(model, version, "files"))
        return [*field_of(answer, "files", tuple[Download, ...])]

    async def download(
        self, model: str, version: int, folder: str | Path, progress: Report | None = None
    ) -> builtins.list[Path]:
        """Get a version's files into `folder`, each under its name once its digest is right. Raises DownloadFailed.

        >>> [path.name for path in await maas.versions.download("digits", 1, "digits-1")]
        ['model.onnx']
        """
        files = await self.files(model, version)
        check_listed([file.name for file in files])
        return await downloads.fetch(files, path("folder", folder), progress) if files else []

    async def profile(
        self,
        model: str,
        version: int | str | None,
        shapes: Mapping[str, Sequence[int]],
        *,
        runs: int | None = None,
    ) -> ShapeProfile:
        """Measure a version at these shapes, by input name, on generated inputs: it runs in the inference function.

        `version` is a number, an alias, or None for the default one. Raises InvalidRequest for shapes that do not fit.

        >>> measured = await maas.versions.profile("digits", 1, {"x": (32, 2)})
        >>> measured.shapes, measured.run_ms > 0
        ({'x': (32, 2)}, True)
        """
        given = by_name("shapes", shapes)
        try:
            body: dict[str, Any] = {"shapes": {name: [*map(index, shape)] for name, shape in given.items()}}
        except TypeError as error:
            raise InvalidInput(f"the sizes of a shape are integers: {error}") from None
        if runs is not None:
            body["runs"] = runs
        path = inference_path(model, version, "profile")
        return read(ShapeProfile, await self._transport.call("POST", path, body, repeatable=True))

    async def complete(self, model: str, version: int) -> ModelVersion:
        """Say that every file is uploaded, so that the version is checked. Raises Conflict if one is missing.

        >>> (await maas.versions.complete("digits", 2)).status
        'READY'
        """
        return read(
            ModelVersion, await self._transport.call("POST", _path(model, version, "complete"), repeatable=True)
        )

    async def wait(
        self,
        model: str,
        version: int,
        timeout_seconds: float = CHECK_SECONDS,
        progress: Callable[[ModelVersion], None] | None = None,
    ) -> ModelVersion:
        """The version once it is READY. `progress` gets it at each look, with its `stage`.

        Raises DeploymentFailed if it is refused, TimedOut if that takes longer.

        >>> (await maas.versions.wait("digits", 1)).status
        'READY'
        """
        deadline = time.monotonic() + seconds("timeout_seconds", timeout_seconds)
        pause_seconds = FIRST_LOOK_SECONDS
        status = ""
        while True:
            try:
                found = await self._look(model, version, deadline)
            except NoAnswerInTime:
                if not status or time.monotonic() < deadline:
                    raise
                raise TimedOut(model, version, status, timeout_seconds) from None
            status = found.status
            if progress:
                progress(found)
            if status == "READY":
                return found
            if status == "FAILED":
                raise DeploymentFailed(model, version, found.status_reason)
            if time.monotonic() + pause_seconds > deadline:
                raise TimedOut(model, version, status, timeout_seconds)
            await sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 1.5, LONGEST_PAUSE_SECONDS)

    async def _look(self, model: str, version: int, deadline: float) -> ModelVersion:
        return read(ModelVersion, await self._transport.call("GET", _path(model, version), deadline=deadline))


def _path(model: str, *rest: str | int) -> str:
    return api_path("models", model, "versions", *rest)
