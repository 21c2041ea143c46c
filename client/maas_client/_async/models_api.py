"""`maas.models`: models of the management API."""

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from maas_client._async.transport import AsyncTransport
from maas_client.arguments import by_name, texts
from maas_client.calls import api_path, changes, filters, times
from maas_client.reading import read
from maas_client.records.metrics import ModelMetrics
from maas_client.records.models import HistoryEntry, RegisteredModel


class AsyncModels:
    """Models, their tags and their history. A method that names a deleted model raises Gone."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self,
        limit: int | None = None,
        *,
        prefix: str = "",
        tags: Sequence[str] = (),
        status: str | None = None,
        task: str | None = None,
        include_deleted: bool = False,
    ) -> builtins.list[RegisteredModel]:
        """All models by name, or the first `limit`. `tags` are KEY or KEY=VALUE; a model has to have each.
        `task` is that of the newest READY version, or "none".

        >>> [model.name for model in await maas.models.list(prefix="dig")]
        ['digits']
        """
        query = filters(
            prefix=prefix, tag=texts("tags", tags), status=status, task=task, include_deleted=include_deleted
        )
        return await self._transport.pages(api_path("models"), "models", RegisteredModel, limit, query)

    async def get(self, name: str, *, include_deleted: bool = False) -> RegisteredModel:
        """One model. Raises NotFound; Gone for a deleted one, unless `include_deleted`.

        >>> (await maas.models.get("digits")).aliases
        {'production': 1}
        """
        query = filters(include_deleted=include_deleted)
        return read(RegisteredModel, await self._transport.call("GET", api_path("models", name), query=query))

    async def create(self, name: str, description: str = "", tags: Mapping[str, str] | None = None) -> RegisteredModel:
        """A new model without versions; `push` makes one by itself. Raises Conflict if the name is taken.

        >>> (await maas.models.create("letters", tags={"team": "vision"})).status
        'EMPTY'
        """
        body = {"name": name, "description": description, "tags": by_name("tags", tags or {})}
        return read(RegisteredModel, await self._transport.call("POST", api_path("models"), body, creating=True))

    async def update(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        if_match: str | None = None,
    ) -> RegisteredModel:
        """Change description and tags: what is not given stays, a tag of None is removed.

        With `if_match`, the `etag` of a model that was read, raises PreconditionFailed if it has changed since.

        >>> (await maas.models.update("digits", tags={"team": "vision"})).tags
        {'team': 'vision'}
        """
        path, body = api_path("models", name), changes(description, tags)
        return read(RegisteredModel, await self._transport.call("PATCH", path, body, if_match=if_match))

    async def delete(self, name: str, *, if_match: str | None = None) -> RegisteredModel:
        """Hide a model with its versions and aliases; `restore` brings them back until it is purged.

        >>> (await maas.models.delete("digits")).deleted_at is None
        False
        """
        return read(RegisteredModel, await self._transport.call("DELETE", api_path("models", name), if_match=if_match))

    async def restore(self, name: str) -> RegisteredModel:
        """Bring a deleted model back with its versions, aliases and tags.

        >>> _ = await maas.models.delete("digits")
        >>> (await maas.models.restore("digits")).aliases
        {'production': 1}
        """
        path = api_path("models", name, "restore")
        return read(RegisteredModel, await self._transport.call("POST", path, repeatable=True))

    async def purge(self, name: str) -> bool:
        """Remove a deleted model for good. False while files are left: call again, or leave it to the schedule.

        Raises Conflict if the model is not deleted.

        >>> _ = await maas.models.delete("digits")
        >>> await maas.models.purge("digits")
        True
        """
        return await self._transport.purge(api_path("models", name))

    async def history(
        self, name: str, limit: int | None = None, *, kind: str | None = None, actor: str | None = None
    ) -> builtins.list[HistoryEntry]:
        """Changes of a model, newest first, also of a deleted or purged one. `kind` is like alias.set, version.ready.

        >>> [entry.kind for entry in await maas.models.history("digits", 2)]
        ['alias.set', 'version.ready']
        """
        path, query = api_path("models", name, "history"), filters(kind=kind, actor=actor)
        return await self._transport.pages(path, "entries", HistoryEntry, limit, query)

    async def metrics(
        self,
        name: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        step: Literal["minute", "hour", "day"] | None = None,
        by: Literal["version", "alias"] = "version",
    ) -> ModelMetrics:
        """Requests, errors, latencies, rows and cost over all environments, at most some ten seconds late.

        The times need a zone. By default the last hour, in the finest step that gives at most 400 points. Raises
        InvalidInput, and InvalidRequest for a range that has too many.

        >>> found = await maas.models.metrics("digits")
        >>> [(series.version, series.total.requests) for series in found.series]
        [(1, 2)]
        """
        query = filters(step=step, by=by) | times(start, end)
        return read(ModelMetrics, await self._transport.call("GET", api_path("models", name, "metrics"), query=query))
