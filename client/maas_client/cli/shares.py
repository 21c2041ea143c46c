"""How commands name the versions that share an alias's requests."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maas_client.records.models import Route


def in_words(version: int | None, routes: Sequence["Route"], sticky: str = "none") -> str:
    """'version 2', 'version 3 for 10 %, version 2 for 90 %, the same for each caller', 'nothing'."""
    if version is None:
        return "nothing"
    if len(routes) < 2:
        return f"version {version}"
    return ", ".join(f"version {route.version} for {route.weight} %" for route in routes) + _stuck(sticky)


def in_short(routes: Iterable["Route"]) -> str:
    """'3=10 2=90', as `maas alias set` takes them."""
    return " ".join(f"{route.version}={route.weight}" for route in routes)


def routes_in(value: object) -> str | None:
    """As `in_short`, for the routes of a history entry; None for another value."""
    if not isinstance(value, list) or not all(map(_is_route, value)):
        return None
    return " ".join(f"{one['version']}={one['weight']}" for one in value) if value else None


def _is_route(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"version", "weight"}


def _stuck(sticky: str) -> str:
    kind, _, name = sticky.partition(":")
    by = {"caller": "caller", "header": f"value of {name}"}.get(kind)
    return f", the same for each {by}" if by else ""
