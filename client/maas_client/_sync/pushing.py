# Made from _async/pushing.py by client/generate_sync.py: change that file.
"""The steps of a push."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import cast

from maas_client._sync import uploads
from maas_client._sync.aliases_api import Aliases
from maas_client._sync.backend import in_thread
from maas_client._sync.models_api import Models
from maas_client._sync.versions_api import Versions
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


def deploy(
    models: Models,
    versions: Versions,
    name: str,
    files: Sequence[LocalFile],
    options: NewOptions,
    progress: Report | None,
    timeout_seconds: float,
) -> ModelVersion:
    """The new version, READY. A model that this creates is removed if the version is refused."""
    is_new = ensure_model(models, name)
    try:
        declared = in_thread(declare, files, progress)
        new = versions.create(name, declared, **options)
        uploads.send(new.uploads, files, progress)
        if progress:
            progress(Progress("checking", 0, 0))
        number = versions.complete(name, new.version.version).version
        return versions.wait(name, number, timeout_seconds, progress and partial(_tell, progress))
    except (InvalidRequest, Conflict, TooManyRequests, UploadFailed, DeploymentFailed):
        if is_new:
            discard(models, versions, name)
        raise


def _tell(progress: Report, version: ModelVersion) -> None:
    """The stage of the version's validation, once it has begun."""
    if version.stage:
        progress(Progress(cast(Stage, version.stage), 0, 0))


def ensure_model(models: Models, name: str) -> bool:
    """Whether it is new."""
    try:
        models.get(name)
    except NotFound:
        with suppress(Conflict):  # another client just created it
            models.create(name)
            return True
    return False


def discard(models: Models, versions: Versions, name: str) -> None:
    """Remove the model that a refused push created, unless it has another version by now. Its history stays.

    Raises nothing: the reason of the refusal counts.
    """
    with suppress(MaasError):
        model = models.get(name)
        if len(versions.list(name, 2, include_deleted=True)) < 2:
            models.delete(name, if_match=model.etag)
            models.purge(name)


def release(versions: Versions, aliases: Aliases, version: ModelVersion, alias: str) -> ModelVersion:
    """Point the alias at a READY version. Raises the ApiError of that, which says that the version is READY."""
    try:
        aliases.set(version.model, alias, version.version)
    except ApiError as error:
        message = f"version {version.version} is READY, but alias '{alias}' was not set: {error.message}"
        raise api_error(error.status, message, error.field) from error
    return versions.get(version.model, version.version)
