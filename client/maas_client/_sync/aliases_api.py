# Made from _async/aliases_api.py by client/generate_sync.py: change that file.
"""`maas.aliases`: aliases of the management API."""

import builtins
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from maas_client._sync.transport import Transport
from maas_client.arguments import by_name, moment
from maas_client.calls import api_path
from maas_client.reading import field_of, read
from maas_client.records.models import Alias, AliasThen


class Aliases:
    """Names such as `production` whose requests go to a READY version of a model, or in shares to several."""

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

    def at(self, model: str, alias: str, time: datetime) -> AliasThen:
        """Where the alias led at a time (with a time zone).

        >>> from datetime import UTC, datetime
        >>> maas.aliases.at("digits", "production", datetime(2030, 1, 1, tzinfo=UTC)).version
        1
        """
        path = api_path("models", model, "aliases", alias)
        answer = self._transport.call("GET", path, query={"at": moment("time", time).isoformat()})
        return read(AliasThen, answer)

    def set(
        self,
        model: str,
        alias: str,
        version: int | None = None,
        *,
        routes: Mapping[int, int] | None = None,
        sticky: str | None = None,
        shadow: Mapping[str, Any] | Literal[False] | None = None,
        capture: Mapping[str, Any] | Literal[False] | None = None,
        if_match: str | None = None,
    ) -> Alias:
        """Make or move an alias; traffic follows within seconds. Raises Conflict if a version is not READY.

        Either `version` gets all requests, or `routes` says how many of a hundred each version gets. `sticky` is
        "none", "caller" or "header:NAME": who keeps a route. `shadow` compares the answers to a `percent` of the
        requests with those of another `version`, `capture` keeps a `percent` of the requests for some `days`; False
        ends it. What is None stays as it is.

        >>> maas.aliases.set("digits", "canary", 2).version
        2
        >>> maas.aliases.set("digits", "production", routes={2: 10, 1: 90}, sticky="caller").routes
        (Route(version=2, weight=10), Route(version=1, weight=90))
        >>> maas.aliases.set("digits", "production", shadow={"version": 2, "percent": 5}).shadow["compare"]
        {'rtol': 0.001, 'atol': 1e-05}
        >>> maas.aliases.set("digits", "production", shadow=False, capture={"percent": 1}).capture["days"]
        7
        """
        path, given = api_path("models", model, "aliases", alias), {"version": version, "sticky": sticky}
        body: dict[str, object] = {name: value for name, value in given.items() if value is not None}
        if routes is not None:
            body["routes"] = [
                {"version": number, "weight": weight} for number, weight in by_name("routes", routes).items()
            ]
        for name, wanted in (("shadow", shadow), ("capture", capture)):
            if wanted is not None:
                body[name] = None if wanted is False else by_name(name, wanted)
        return read(Alias, self._transport.call("PUT", path, body, if_match=if_match))

    def rollback(self, model: str, alias: str, *, if_match: str | None = None) -> Alias:
        """Lead an alias where it led before its last change. Raises Conflict if it is new.

        >>> _ = maas.aliases.set("digits", "production", 2)
        >>> maas.aliases.rollback("digits", "production").version
        1
        """
        path = api_path("models", model, "aliases", alias, "rollback")
        return read(Alias, self._transport.call("POST", path, if_match=if_match))

    def delete(self, model: str, alias: str, *, if_match: str | None = None) -> None:
        """Remove an alias; its versions stay.

        >>> maas.aliases.delete("digits", "production")
        >>> maas.aliases.list("digits")
        []
        """
        self._transport.call("DELETE", api_path("models", model, "aliases", alias), if_match=if_match)
