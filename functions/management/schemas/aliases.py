"""Schemas of aliases."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from maas.names import STICKY_PATTERN
from maas.records import aliases as alias_records
from maas.registry.aliases import Given
from maas.registry.routing import LEAST_ROUTES, MOST_ROUTES
from schemas.samples import Capture, Shadow
from schemas.shared import EXAMPLE_LATER, EXAMPLE_TIME, Body, VersionNumber, like, whole

_ROUTES = [{"version": 3, "weight": 10}, {"version": 2, "weight": 90}]
_ALIAS = {
    "alias": "production",
    "model": "digits",
    "version": 2,
    "routes": _ROUTES,
    "sticky": "caller",
    "rollout": None,
    "previous_version": 2,
    "previous_routes": [{"version": 2, "weight": 100}],
    "shadow": {"version": 4, "percent": 10, "compare": {"rtol": 1e-3, "atol": 1e-5}},
    "capture": {"percent": 1, "what": "both", "days": 7, "redact": ["name"]},
    "updated_at": EXAMPLE_LATER,
}

Weight = Annotated[int, Field(ge=1, le=alias_records.WHOLE, strict=True), BeforeValidator(whole)]
Sticky = Annotated[str, StringConstraints(pattern=f"^({STICKY_PATTERN})$")]


class WantedRoute(Body):
    """`weight` of a hundred requests go to `version`."""

    version: VersionNumber
    weight: Weight


class Route(BaseModel):
    version: int
    weight: int


class PutAlias(Body):
    """A `version` for all requests, or `routes` to distinct versions with weights that sum to 100.

    What is absent stays as it is; a new alias needs one of both. `sticky` keeps a caller, or the value of a header, on
    its route. `shadow` and `capture` copy requests; null removes one.
    """

    model_config = like(routes=_ROUTES, sticky="caller")

    version: VersionNumber | None = None
    routes: Annotated[list[WantedRoute], Field(min_length=LEAST_ROUTES, max_length=MOST_ROUTES)] | None = None
    sticky: Sticky | None = None
    shadow: Shadow | None = None
    capture: Capture | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.version is not None and self.routes is not None:
            raise ValueError("expected either version or routes")
        if self.target() is None and self.sticky is None and not self.samples():
            raise ValueError("expected version, routes, sticky, shadow or capture")
        return self

    def target(self) -> int | list[alias_records.Route] | None:
        if self.routes is None:
            return self.version
        return [alias_records.Route(route.version, route.weight) for route in self.routes]

    def samples(self) -> Given:
        """Those that the body names; null removes one."""
        found: Given = {}
        if "shadow" in self.model_fields_set:
            found["shadow"] = self.shadow.record() if self.shadow else None
        if "capture" in self.model_fields_set:
            found["capture"] = self.capture.record() if self.capture else None
        return found


class Alias(BaseModel):
    """`routes` is one with all requests, or the shares, the newest version first; `version` has the most weight.

    `rollout` is the id of an open one, which alone moves the alias. A rollback leads to `previous_routes`; without any
    there is nothing to roll back to.
    """

    model_config = like(**_ALIAS)

    alias: str
    model: str
    version: int
    routes: list[Route]
    sticky: str
    rollout: int | None
    previous_version: int | None
    previous_routes: list[Route]
    shadow: Shadow | None
    capture: Capture | None
    updated_at: str

    @classmethod
    def of(cls, model: str, name: str, alias: alias_records.Alias) -> Self:
        return cls(
            alias=name,
            model=model,
            version=alias.version,
            routes=routes(alias.shares),
            sticky=alias.sticky,
            rollout=alias.rollout,
            previous_version=alias.previous_version,
            previous_routes=routes(alias.previous_shares),
            shadow=Shadow.of(alias.shadow) if alias.shadow else None,
            capture=Capture.of(alias.capture) if alias.capture else None,
            updated_at=alias.updated_at,
        )


class Aliases(BaseModel):
    model_config = like(aliases=[_ALIAS])

    aliases: list[Alias]


class AliasAt(BaseModel):
    """`version` is null, and `routes` empty, if the alias did not exist at that time or its model was deleted."""

    model_config = like(
        alias="production", model="digits", at=EXAMPLE_TIME, version=1, routes=[{"version": 1, "weight": 100}]
    )

    alias: str
    model: str
    at: str
    version: int | None
    routes: list[Route]

    @classmethod
    def of(cls, model: str, name: str, at: str, then: alias_records.Routes) -> Self:
        version = alias_records.main_version(then) if then else None
        return cls(alias=name, model=model, at=at, version=version, routes=routes(then))


def routes(found: alias_records.Routes) -> list[Route]:
    return [Route(version=route.version, weight=route.weight) for route in found]
