"""Aliases: names whose requests go to one version, or in shares to several."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from maas.records.rows import Row, known, row_of
from maas.records.samples import Capture, Samples, Shadow

WHOLE = 100  # the sum of the weights of an alias's routes
NOT_STICKY = "none"


@dataclass(frozen=True, slots=True)
class Route(Row):
    """`weight` of a hundred requests go to `version`."""

    version: int
    weight: int


Routes = tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Alias(Row):
    """Where requests go, and where a rollback leads (`previous_…`). `revision` is the model's at the last change.

    `routes` are the shares, the newest version first; without any, all requests go to `version`. With routes, `version`
    is the one with the most weight, of equals the older. `sticky` says by what requests keep their route (see
    `maas.names.STICKY_PATTERN`); `salt` is the key of that hash, in hex, made with the first routes and constant.
    `rollout` is the open rollout, which alone moves the alias meanwhile.
    `shadow` and `capture` say which requests are copied.
    """

    SPARSE: ClassVar = True  # a model's row may hold a hundred aliases

    version: int
    updated_at: str
    revision: int
    previous_version: int | None = None
    routes: Routes = ()
    previous_routes: Routes = ()
    sticky: str = NOT_STICKY
    salt: str = ""
    rollout: int | None = None
    shadow: Shadow | None = None
    capture: Capture | None = None

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'

    @property
    def shares(self) -> Routes:
        """`routes`, or the one with all requests."""
        return self.routes or whole(self.version)

    @property
    def previous_shares(self) -> Routes:
        """Empty if there is nothing to roll back to."""
        return self.previous_routes or ((Route(self.previous_version, WHOLE),) if self.previous_version else ())

    @property
    def samples(self) -> Samples | None:
        """What is copied of its requests; None if nothing is."""
        return Samples(self.shadow, self.capture) if self.shadow or self.capture else None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        made: dict[str, Any] = {name: routes_of(row[name]) for name in ("routes", "previous_routes") if name in row}
        if row.get("shadow"):
            made["shadow"] = Shadow.of(row["shadow"])
        if row.get("capture"):
            made["capture"] = Capture.of(row["capture"])
        return cls(**(known(cls, row) | made))


def whole(version: int) -> Routes:
    """All requests to one version."""
    return (Route(version, WHOLE),)


def routes_of(rows: Iterable[Mapping[str, Any]]) -> Routes:
    return tuple(map(Route.of, rows))


def rows_of(routes: Routes) -> list[dict[str, Any]]:
    """The plain values that `routes_of` reads."""
    return [row_of(route) for route in routes]


def main_version(routes: Routes) -> int:
    """The version with the most weight, of equals the older."""
    return min(routes, key=lambda route: (-route.weight, route.version)).version
