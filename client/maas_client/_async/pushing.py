"""The steps of a push."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import cast

from maas_client._async import uploads
from maas_client._async.aliases_api import AsyncAliases
from maas_client._async.backend import in_thread
from maas_client._async.models_api import AsyncModels
from maas_client._async.versions_api import AsyncVersions
from maas_client.errors import (
    ApiError,
    Conflict,
    DeploymentFailed,
    InvalidRequest,
    MaasError,
    NotFound,
    TooManyRequests,
    UploadFailed,
    api_error,
)
from maas_client.files import LocalFile, Report, declare
from maas_client.records.models import ModelVersion
from maas_client.records.transfers import Progress, Stage
from maas_client.version_files import NewOptions


async def deploy(
    models: AsyncModels,
    versions: AsyncVersions,
    name: str,
    files: Sequence[LocalFile],
    options: NewOptions,
    progress: Report | None,
    timeout_seconds: float,
) -> ModelVersion:
    """The new version, READY. A model that this creates is removed if the version is refused."""
    is_new = await ensure_model(models, name)
    try:
        declared = await in_thread(declare, files, progress)
        new = await versions.create(name, declared, **options)
        await uploads.send(new.uploads, files, progress)
        if progress:
            progress(Progress("checking", 0, 0))
        number = (await versions.complete(name, new.version.version)).version
        return await versions.wait(name, number, timeout_seconds, progress and partial(_tell, progress))
    except (InvalidRequest, Conflict, TooManyRequests, UploadFailed, DeploymentFailed):
        if is_new:
            await discard(models, versions, name)
        raise


def _tell(progress: Report, version: ModelVersion) -> None:
    """The stage of the version's validation, once it has begun."""
    if version.stage:
        progress(Progress(cast(Stage, version.stage), 0, 0))


async def ensure_model(models: AsyncModels, name: str) -> bool:
    """Whether it is new."""
    try:
        await models.get(name)
    except NotFound:
        with suppress(Conflict):  # another client just created it
            await models.create(name)
            return True
    return False


async def discard(models: AsyncModels, versions: AsyncVersions, name: str) -> None:
    """Remove the model that a refused push created, unless it has another version by now. Its history stays.

    Raises nothing: the reason of the refusal counts.
    """
    with suppress(MaasError):
        model = await models.get(name)
        if len(await versions.list(name, 2, include_deleted=True)) < 2:
            await models.delete(name, if_match=model.etag)
            await models.purge(name)


async def release(versions: AsyncVersions, aliases: AsyncAliases, version: ModelVersion, alias: str) -> ModelVersion:
    """Point the alias at a READY version. Raises the ApiError of that, which says that the version is READY."""
    try:
        await aliases.set(version.model, alias, version.version)
    except ApiError as error:
        message = f"version {version.version} is READY, but alias '{alias}' was not set: {error.message}"
        raise api_error(error.status, message, error.field) from error
    return await versions.get(version.model, version.version)
