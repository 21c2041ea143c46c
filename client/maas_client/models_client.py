"""Models and aliases of the management API, /api/v1."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from maas_client.calls import path_of
from maas_client.model_records import Alias, HistoryEntry, RegisteredModel
from maas_client.transport import Transport

PAGE = 100


class ModelsClient:
    """Every method raises CannotConnect when no answer comes, an ApiError (NotFound, Conflict, ...) when it is no."""

    _transport: Transport

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
        query = filters(prefix=prefix, tag=tags, status=status, include_deleted=include_deleted)
        return [RegisteredModel.of(fields) for fields in self._pages("/api/v1/models", "models", limit, query)]

    def model(self, name: str, *, include_deleted: bool = False) -> RegisteredModel:
        """Raises Gone for a deleted one, unless `include_deleted`; so do the other methods that name a model."""
        query = filters(include_deleted=include_deleted)
        return RegisteredModel.of(self._transport.call("GET", models_path(name), query=query))

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
        body = change(description, tags)
        return RegisteredModel.of(self._transport.call("PATCH", models_path(name), body, if_match=if_match))

    def delete_model(self, name: str, *, if_match: str | None = None) -> RegisteredModel:
        """Out of sight with all its versions; `restore_model` brings everything back until it is purged."""
        return RegisteredModel.of(self._transport.call("DELETE", models_path(name), if_match=if_match))

    def restore_model(self, name: str) -> RegisteredModel:
        return RegisteredModel.of(self._transport.call("POST", models_path(name, "restore"), repeatable=True))

    def purge_model(self, name: str) -> bool:
        """For good. True when all is gone; False when there is so much that it takes another call (or the schedule).

        Raises Conflict if it is not deleted.
        """
        return self._purge(models_path(name))

    def history(
        self, model: str, limit: int | None = None, *, kind: str | None = None, actor: str | None = None
    ) -> list[HistoryEntry]:
        """Changes, newest first, also of deleted and purged models. `kind` is like alias.set or version.ready."""
        query = filters(kind=kind, actor=actor)
        return [HistoryEntry.of(one) for one in self._pages(models_path(model, "history"), "entries", limit, query)]

    # --------------------------------------------------------------- aliases

    def aliases(self, model: str) -> list[Alias]:
        answer = self._transport.call("GET", models_path(model, "aliases"))
        return [Alias.of(fields) for fields in answer["aliases"]]

    def alias(self, model: str, alias: str) -> Alias:
        return Alias.of(self._transport.call("GET", models_path(model, "aliases", alias)))

    def alias_at(self, model: str, alias: str, at: datetime) -> int | None:
        """The version that the alias pointed to at that time (with a time zone), or None: who was live when."""
        answer = self._transport.call("GET", models_path(model, "aliases", alias), query={"at": at.isoformat()})
        version: int | None = answer["version"]
        return version

    def set_alias(self, model: str, alias: str, version: int, *, if_match: str | None = None) -> Alias:
        """Make or move an alias. Raises Conflict if the version is not READY."""
        path, body = models_path(model, "aliases", alias), {"version": version}
        return Alias.of(self._transport.call("PUT", path, body, if_match=if_match))

    def roll_back(self, model: str, alias: str, *, if_match: str | None = None) -> Alias:
        """Point an alias where it pointed before its last change. Raises Conflict if that was nowhere."""
        path = models_path(model, "aliases", alias, "rollback")
        return Alias.of(self._transport.call("POST", path, if_match=if_match))

    def delete_alias(self, model: str, alias: str, *, if_match: str | None = None) -> None:
        self._transport.call("DELETE", models_path(model, "aliases", alias), if_match=if_match)

    # ------------------------------------------------------------------ HTTP

    def _pages(
        self, path: str, key: str, limit: int | None, wanted: Mapping[str, str | list[str]]
    ) -> Iterator[dict[str, Any]]:
        query = dict(wanted)
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


def filters(**values: str | bool | Sequence[str] | None) -> dict[str, str | list[str]]:
    """A query string's values, without what says nothing."""
    return {
        name: "true" if value is True else value if isinstance(value, str) else list(value)
        for name, value in values.items()
        if value
    }


def change(description: str | None, tags: Mapping[str, str | None] | None) -> dict[str, Any]:
    return ({} if description is None else {"description": description}) | {"tags": dict(tags or {})}


def models_path(*parts: str | int) -> str:
    return path_of("api", "v1", "models", *parts)
