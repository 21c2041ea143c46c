"""Which READY versions a reference leads to: a version number, an alias, or None for the default."""

from collections.abc import Sequence
from typing import NamedTuple

from maas.errors import NotFound, NotReady
from maas.names import is_name, version_number
from maas.records import ModelVersion, RegisteredModel, Status
from maas.records.aliases import Alias, Routes, whole
from maas.registry.state import table_rows
from maas.registry.state.ledger import Ledger, checked_model, checked_version

DEFAULT_ALIAS = "default"


class Resolution(NamedTuple):
    """`versions` have the order of `routes`. `name` and `alias` are None for a number and for the newest version."""

    routes: Routes
    versions: tuple[ModelVersion, ...]
    name: str | None = None
    alias: Alias | None = None


def main(ledger: Ledger, model: str, reference: str | None) -> ModelVersion:
    """The version; of an alias with routes, the one with the most weight. Raises as `resolved` does."""
    number = version_number(reference) if reference else None
    if number is not None:
        return _numbered(ledger, model, number)
    *_, number = _followed(ledger.model(model), reference)
    return _ready(ledger.version(model, number))


def resolved(ledger: Ledger, model: str, reference: str | None) -> Resolution:
    """All versions that the reference leads to, in at most two reads. Raises NotFound, Gone, NotReady."""
    number = version_number(reference) if reference else None
    if number is not None:
        return Resolution(whole(number), (_numbered(ledger, model, number),))
    name, alias, number = _followed(ledger.model(model), reference)
    if alias is None or not alias.routes:
        return Resolution(whole(number), (_ready(ledger.version(model, number)),), name, alias)
    numbers = [route.version for route in alias.routes]
    return Resolution(alias.routes, _together(ledger, model, numbers), name, alias)


def _followed(owner: RegisteredModel, reference: str | None) -> tuple[str | None, Alias | None, int]:
    """The alias that is followed, if any, and the version."""
    name = reference or DEFAULT_ALIAS
    alias = owner.aliases.get(name)
    if alias is not None:
        return name, alias, alias.version
    if reference:
        raise NotFound("version or alias", reference, of=owner.name)
    if owner.latest_ready_version is None:
        raise NotReady(owner.name, None, "without a READY version")
    return None, None, owner.latest_ready_version


def _numbered(ledger: Ledger, model: str, number: int) -> ModelVersion:
    """The version, read together with its model in one call: a deleted model must not serve."""
    if not is_name(model):
        raise NotFound("model", model)
    owner, row = ledger.table.get_many([table_rows.model_key(model), table_rows.version_key(model, number)])
    checked_model(model, RegisteredModel.of(owner) if owner else None)
    return _ready(checked_version(model, number, ModelVersion.of(row) if row else None))


def _together(ledger: Ledger, model: str, numbers: Sequence[int]) -> tuple[ModelVersion, ...]:
    rows = ledger.table.get_many([table_rows.version_key(model, number) for number in numbers])
    return tuple(
        _ready(checked_version(model, number, ModelVersion.of(row) if row else None))
        for number, row in zip(numbers, rows, strict=True)
    )


def _ready(version: ModelVersion) -> ModelVersion:
    if version.status is not Status.READY:
        raise NotReady(version.model, version.number, version.status, version.status_reason)
    return version
