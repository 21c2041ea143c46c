# Made from _async/aliases_api.py by client/generate_sync.py: change that file.
"""`maas.aliases`: aliases of the management API."""

import builtins
from datetime import datetime

from maas_client._sync.transport import Transport
from maas_client.calls import api_path
from maas_client.model_records import Alias, AliasThen
from maas_client.reading import field_of, read


class Aliases:
    """Names such as `production` that point to a READY version of a model."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, model: str) -> builtins.list[Alias]:
        """All aliases of a model, by name.

        >>> [(alias.alias, alias.version) for alias in maas.aliases.list("digits")]
        [('production', 1)]
        """
        answer = self._transport.call("GET", api_path("models", model, "aliases"))
        return list(field_of(answer, "aliases", tuple[Alias, ...]))

    def get(self, model: str, alias: str) -> Alias:
        """One alias. Raises NotFound.

        >>> maas.aliases.get("digits", "production").version
        1
        """
        return read(Alias, self._transport.call("GET", api_path("models", model, "aliases", alias)))

    def at(self, model: str, alias: str, time: datetime) -> int | None:
        """The version that the alias pointed to at a time (with a time zone); None if to none.

        >>> from datetime import UTC, datetime
        >>> maas.aliases.at("digits", "production", datetime(2030, 1, 1, tzinfo=UTC))
        1
        """
        path = api_path("models", model, "aliases", alias)
        answer = self._transport.call("GET", path, query={"at": time.isoformat()})
        return read(AliasThen, answer).version

    def set(self, model: str, alias: str, version: int, *, if_match: str | None = None) -> Alias:
        """Make or move an alias; traffic follows within seconds. Raises Conflict if the version is not READY.

        >>> maas.aliases.set("digits", "canary", 2).version
        2
        """
        path, body = api_path("models", model, "aliases", alias), {"version": version}
        return read(Alias, self._transport.call("PUT", path, body, if_match=if_match))

    def rollback(self, model: str, alias: str, *, if_match: str | None = None) -> Alias:
        """Point an alias where it pointed before its last change. Raises Conflict if it is new.

        >>> _ = maas.aliases.set("digits", "production", 2)
        >>> maas.aliases.rollback("digits", "production").version
        1
        """
        path = api_path("models", model, "aliases", alias, "rollback")
        return read(Alias, self._transport.call("POST", path, if_match=if_match))

    def delete(self, model: str, alias: str, *, if_match: str | None = None) -> None:
        """Remove an alias; its version stays.

        >>> maas.aliases.delete("digits", "production")
        >>> maas.aliases.list("digits")
        []
        """
        self._transport.call("DELETE", api_path("models", model, "aliases", alias), if_match=if_match)
