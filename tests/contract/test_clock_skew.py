"""Changes of one model by environments whose clocks differ."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from maas.aws.dynamodb import Table
from maas.aws.writes import Put
from maas.records import fields_of
from maas.registry import Registry
from maas.registry.state import table_rows
from maas.registry.state.ledger import MAX_SKEW_SECONDS
from maas.times import canonical
from support.registry_steps import ready


def put_change_from_the_future(registry: Registry, table: Table, seconds: float) -> str:
    """The state that an environment leaves whose clock is `seconds` ahead; returns the time of its change."""
    model = registry.models.get("m")
    at = canonical(datetime.now(UTC) + timedelta(seconds=seconds))
    changed = replace(model, updated_at=at, revision=model.revision + 1)
    table.write([Put(table_rows.model_key("m"), fields_of(changed), model.revision)])
    return at


@pytest.mark.parametrize(("seconds", "is_reported"), [(MAX_SKEW_SECONDS - 2, False), (MAX_SKEW_SECONDS + 60, True)])
def test_change_times_never_run_backwards(
    registry: Registry, table: Table, seconds: float, is_reported: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.models.create("m", "", {}, "ann")
    ready(registry), ready(registry)
    at = put_change_from_the_future(registry, table, seconds)
    capsys.readouterr()
    moved = [registry.aliases.set("m", "live", number, "ann") for number in (1, 2)]
    assert at < moved[0].updated_at < moved[1].updated_at
    for alias in moved:
        when = datetime.fromisoformat(alias.updated_at)
        assert registry.aliases.routes_at("m", "live", when) == alias.shares
    assert ('"ClockSkew"' in capsys.readouterr().out) is is_reported
