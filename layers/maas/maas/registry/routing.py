"""How an alias's routes change: which are valid, what a change keeps, what a deleted version leaves."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from maas.errors import Conflict, InvalidRequest
from maas.records import RegisteredModel
from maas.records.aliases import NOT_STICKY, WHOLE, Alias, Route, Routes, main_version, rows_of
from maas.records.rows import row_of

LEAST_ROUTES, MOST_ROUTES = 2, 10
SALT_BYTES = 16


def checked_routes(routes: Sequence[Route]) -> Routes:
    """The routes, the newest version first.

    Raises InvalidRequest unless they are 2 to 10 of distinct versions with weights from 1 that sum to 100.
    """
    if not LEAST_ROUTES <= len(routes) <= MOST_ROUTES:
        expected = f"{LEAST_ROUTES} to {MOST_ROUTES}; for a single version give version"
        raise InvalidRequest(f"routes: got {len(routes)}, expected {expected}", field="routes")
    seen: set[int] = set()
    for index, route in enumerate(routes):
        where = f"routes[{index}]"
        if route.weight < 1:
            raise InvalidRequest(f"{where}.weight: got {route.weight}, expected at least 1", field=f"{where}.weight")
        if route.version in seen:
            message = f"{where}.version: got {route.version} again, expected each version once"
            raise InvalidRequest(message, field=f"{where}.version")
        seen.add(route.version)
    total = sum(route.weight for route in routes)
    if total != WHOLE:
        raise InvalidRequest(f"routes: got weights that sum to {total}, expected {WHOLE}", field="routes")
    return tuple(sorted(routes, key=lambda route: -route.version))


def changed(old: Alias | None, shares: Routes, sticky: str | None, now: str, revision: int) -> Alias:
    """The alias with these shares and `sticky` (None: as it is). Only other shares change where a rollback leads."""
    base = old or Alias(0, now, revision)
    stays = old is not None and old.shares == shares
    routes = base.routes if stays else shares if len(shares) > 1 else ()
    new = replace(
        base,
        version=main_version(shares),
        routes=routes,
        updated_at=now,
        revision=revision,
        sticky=base.sticky if sticky is None else sticky,
        salt=base.salt or (os.urandom(SALT_BYTES).hex() if routes else ""),
    )
    if old and not stays:
        new = replace(new, previous_version=old.version, previous_routes=old.routes)
    return new


def without(shares: Routes, version: int) -> Routes:
    """The shares without a version: the others keep their ratio, as far as whole weights can; empty if none is left."""
    left = [route for route in shares if route.version != version]
    total = sum(route.weight for route in left)
    weights = [route.weight * WHOLE // total for route in left]
    by_remainder = sorted(range(len(left)), key=lambda one: (-(left[one].weight * WHOLE % total), left[one].version))
    for one in by_remainder[: WHOLE - sum(weights)]:
        weights[one] += 1
    return tuple(Route(route.version, weight) for route, weight in zip(left, weights, strict=True))


def without_version(
    owner: RegisteredModel, number: int, now: str
) -> tuple[RegisteredModel, dict[str, Any] | None, dict[str, Any] | None]:
    """The model whose aliases have no route to the version, and what its history entry says of them before and after.

    An alias that led nowhere else is removed: `aliases` names it. `routes` are those of the others. `shadows` names
    those whose shadow it was.
    """
    removed: list[str] = []
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    shadows = owner.shadows_on(number)
    for name in shadows:
        bare = replace(owner.aliases[name], shadow=None, updated_at=now, revision=owner.revision + 1)
        owner = owner.with_alias(name, bare)
    for name in owner.aliases_on(number):
        old = owner.aliases[name]
        left = without(old.shares, number)
        if not left:
            removed.append(name)
            owner = owner.with_alias(name, None)
            continue
        owner = owner.with_alias(name, changed(old, left, None, now, owner.revision + 1))
        before[name], after[name] = rows_of(old.shares), rows_of(left)
    was = ({"aliases": removed} if removed else {}) | ({"routes": before} if before else {})
    was |= {"shadows": shadows} if shadows else {}
    return owner, was or None, {"routes": after} if after else None


def shown(alias: Alias) -> dict[str, Any]:
    """The alias in a history entry."""
    fields: dict[str, Any] = {"version": alias.version}
    if alias.routes:
        fields["routes"] = rows_of(alias.routes)
    if alias.sticky != NOT_STICKY:
        fields["sticky"] = alias.sticky
    fields |= {"shadow": row_of(alias.shadow)} if alias.shadow else {}
    return fields | ({"capture": row_of(alias.capture)} if alias.capture else {})


def check_unmoved(model: str, name: str, alias: Alias | None) -> None:
    """Raises Conflict for an alias that only its rollout may move."""
    if alias and alias.rollout:
        aborting = f"maas rollout abort {model} {alias.rollout}"
        raise Conflict(
            f"alias '{name}' of model '{model}' has an open rollout, {alias.rollout}: end it with `{aborting}`"
        )


def check_closed(owner: RegisteredModel, version: int | None = None) -> None:
    """Raises Conflict if the model has an open rollout, or one that concerns the version."""
    names = owner.aliases if version is None else owner.aliases_on(version)
    for name in names:
        check_unmoved(owner.name, name, owner.aliases[name])
