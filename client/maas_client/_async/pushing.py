"""What `push` does before and after the upload."""

from contextlib import suppress

from maas_client._async.aliases_api import AsyncAliases
from maas_client._async.models_api import AsyncModels
from maas_client._async.versions_api import AsyncVersions
from maas_client.errors import ApiError, Conflict, NotFound, api_error
from maas_client.model_records import ModelVersion


async def ensure_model(models: AsyncModels, name: str) -> None:
    try:
        await models.get(name)
    except NotFound:
        with suppress(Conflict):  # another client just created it
            await models.create(name)


async def release(versions: AsyncVersions, aliases: AsyncAliases, version: ModelVersion, alias: str) -> ModelVersion:
    """Point the alias at a READY version. Raises the ApiError of that, which says that the version is READY."""
    try:
        await aliases.set(version.model, alias, version.version)
    except ApiError as error:
        message = f"version {version.version} is READY, but alias '{alias}' was not set: {error.message}"
        raise api_error(error.status, message, error.field) from error
    return await versions.get(version.model, version.version)
