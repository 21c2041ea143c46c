"""What `push` does before and after the upload."""

from contextlib import suppress

from maas_client._async.aliases_api import AsyncAliases
from maas_client._async.models_api import AsyncModels
from maas_client._async.versions_api import AsyncVersions
from maas_client.errors import ApiError, Conflict, MaasError, NotFound, api_error
from maas_client.model_records import ModelVersion


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
