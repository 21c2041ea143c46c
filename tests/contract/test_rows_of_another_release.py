"""Rows that a later release has written, on both engines: unknown fields are read over, and kept by a change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from maas.access.caller import Caller
from maas.access.keys_table import Keys
from maas.aws.clients import client
from maas.aws.dynamodb import Table
from maas.aws.writes import Add, Key
from maas.batch.state import job_rows
from maas.batch.state.job_records import Shadowed, ShardStatus
from maas.batch.state.jobs import Jobs
from maas.metrics import counter_rows
from maas.metrics.counter_rows import Cell, Step
from maas.metrics.metrics import Metrics
from maas.metrics.roll_up import RollUp
from maas.records import Quantized, Stage, Status, Task, Variant
from maas.records.aliases import Route
from maas.records.samples import Capture, Shadow
from maas.registry import Idempotency, Registry
from maas.registry.state import table_rows
from maas.rollout.guard import Guards, Tally
from maas.rollout.rollout_records import Plan, Rollout, RolloutStatus
from support.batch.made_jobs import done, job, shards
from support.registry_steps import FILE, NEVER, SIGNATURE, Objects, kinds, ready

ADMIN = Caller("arn:boss", frozenset(["admin"]))
LATER = {"from": ["a later release", {"n": 1}]}
Place = tuple[str | int, ...]  # of a record in a row


def part(row: Any, place: Place) -> dict[str, Any]:
    for step in place:
        row = row[step]
    assert isinstance(row, dict)
    return row


def rewrite(table: Table, key: Key, *places: Place, revisions: int = 0) -> None:
    """Write the row as a later release does, with a field more in each of these places."""
    row = table.get(key)
    assert row, key
    for place in places:
        part(row, place)["later"] = LATER
    if revisions:
        row["revision"] += revisions
    table.replace({key: row})


def lost(table: Table, key: Key, *places: Place) -> list[Place]:
    row = table.get(key)
    assert row, key
    return [place for place in places if part(row, place).get("later") != LATER]


def test_model(registry: Registry, table: Table) -> None:
    registry.models.create("m", "", {}, "ann")
    ready(registry), ready(registry), ready(registry)
    samples = {"shadow": Shadow(1, 5), "capture": Capture(5, 7, redact=("x",))}
    registry.aliases.set("m", "prod", [Route(1, 50), Route(2, 50)], "ann", samples=samples)
    registry.aliases.set("m", "prod", [Route(2, 40), Route(3, 60)], "ann")
    alias = "aliases", "prod"
    places: list[Place] = [(), alias, (*alias, "shadow"), (*alias, "capture"), (*alias, "previous_routes", 0)]
    routes: list[Place] = [(*alias, "routes", 0), (*alias, "routes", 1)]
    rewrite(table, table_rows.model_key("m"), *places, *routes)
    registry.models.update("m", "bob", description="digits")
    registry.aliases.set("m", "other", 1, "bob")
    registry.aliases.set("m", "prod", None, "bob", sticky="caller")
    registry.aliases.set("m", "prod", [Route(2, 40), Route(3, 60)], "bob", sticky="none")
    assert lost(table, table_rows.model_key("m"), *places, *routes) == []
    registry.aliases.set("m", "prod", 3, "bob")
    assert lost(table, table_rows.model_key("m"), *places[:-1]) == []
    registry.aliases.rollback("m", "prod", "bob")
    assert lost(table, table_rows.model_key("m"), *places[:-1], *routes) == []
    assert registry.aliases.get("m", "prod").routes == (Route(3, 60), Route(2, 40))
    registry.models.delete("m", "bob")
    registry.models.restore("m", "bob")
    assert lost(table, table_rows.model_key("m"), *places[:-1], *routes) == []


@pytest.mark.full
def test_version(registry: Registry, table: Table, signed_table: Table) -> None:
    registry.models.create("m", "", {}, "ann")
    created = registry.versions.create("m", [FILE], "", {}, "ann")
    key = table_rows.version_key("m", 1)
    rewrite(table, key, ())
    validating = registry.validation.start("m", created.number, "deployment")
    registry.validation.set_stage("m", 1, Stage.LOADING)
    found = replace(
        validating,
        status=Status.READY,
        inputs=SIGNATURE,
        outputs=SIGNATURE,
        task=Task("embeddings", {"pooling": "mean"}, raw_inputs=SIGNATURE, raw_outputs=SIGNATURE),
        variants=(Variant("cpu", (FILE,)),),
        quantized=Quantized("dynamic-int8", 0.1, (FILE,)),
        unknown={},  # as validated from an event that came before the later release wrote
    )
    registry.validation.finish(found, "deployment")
    assert lost(table, key, ()) == []
    places: list[Place] = [(), ("files", 0), ("inputs", 0), ("task",), ("task", "raw_outputs", 0)]
    places += [("variants", 0), ("variants", 0, "files", 0), ("quantized",), ("quantized", "files", 0)]
    rewrite(table, key, *places)
    assert Registry(signed_table).resolve("m", None).inputs == SIGNATURE
    registry.versions.update("m", 1, "bob", tags={"a": "b"})
    registry.versions.delete("m", 1, "bob")
    registry.versions.restore("m", 1, "bob")
    assert lost(table, key, *places) == []


@pytest.mark.full
def test_job(table: Table) -> None:
    jobs = Jobs(table)
    made = jobs.create(job(shadow=Shadow(2, 100)))
    rewrite(table, job_rows.job_key(made.id), (), ("shadow",), revisions=1)
    assert jobs.page(10, None)[0] == [jobs.get(made.id)]
    jobs.start(made.id, False, shards=1)
    jobs.cancel(made.id)
    assert lost(table, job_rows.job_key(made.id), (), ("shadow",)) == []
    assert jobs.create(made).shards == 1


@pytest.mark.full
@pytest.mark.parametrize("status", [ShardStatus.DONE, ShardStatus.FAILED])
def test_shard(table: Table, status: ShardStatus) -> None:
    jobs = Jobs(table)
    made = jobs.create(job())
    jobs.shards.add(made, shards(1))
    key = job_rows.shard_key(made.id, "00000")
    _, read = jobs.job_and_shard(made.id, "00000")
    assert read
    rewrite(table, key, (), revisions=1)  # after it was read: the write of the older release has to begin anew
    if status is ShardStatus.DONE:
        jobs.shards.finish(made, read, done(read, shadow=Shadowed(3)), [])
        rewrite(table, key, ("parts", 0), ("shadow",))
        assert next(jobs.shards.all(made.id)).parts == done(read).parts
    else:
        jobs.shards.set_status(made, "00000", ShardStatus.FAILED, "no model")
        jobs.shards.reset_failed(made)
    assert lost(table, key, ()) == []


@pytest.mark.full
def test_key(table: Table, signed_table: Table) -> None:
    keys = Keys(table)
    key, _ = keys.create("ci", ["models:read"], ADMIN)
    row = table_rows.api_key(key.id)
    rewrite(table, row, (), ("secrets", 0), revisions=1)
    found = Keys(signed_table).get(key.id)
    assert found.shown == key.shown
    keys.used(key.id, "2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:00.000000Z")
    keys.rotate(key.id, 60, ADMIN)
    assert lost(table, row, (), ("secrets", 1)) == []
    keys.revoke(key.id, ADMIN)
    assert lost(table, row, (), ("secrets", 1)) == []


@pytest.mark.full
def test_rollout(registry: Registry, table: Table) -> None:
    registry.models.create("m", "", {}, "ann")
    ready(registry), ready(registry)
    registry.aliases.set("m", "prod", 1, "ann")
    plan = Plan("prod", 2, (10, 100), 1, Guards(min_requests=50))
    made = registry.rollouts.start("m", plan, "ann", lambda *_: {})
    key = table_rows.rollout_key("m", made.id)
    recorded: list[Place] = [(), ("plan",), ("plan", "guards")]
    computed: list[Place] = [("settled", 0), ("standing",), ("standing", "canary")]
    rewrite(table, key, *recorded, *computed, revisions=1)
    found = registry.rollouts.get("m", made.id)
    assert found == replace(made, revision=made.revision + 1)
    registry.rollouts.pause("m", made.id, "bob")
    assert lost(table, key, *recorded, *computed) == []
    paused = registry.rollouts.get("m", made.id)
    assert registry.rollouts.looked(paused, replace(paused, settled=(Tally(1), Tally(2))))
    assert lost(table, key, *recorded, *computed) == [("settled", 0)]  # it is another number now
    aborted = registry.rollouts.abort("m", made.id, "bob")
    assert aborted.status is RolloutStatus.ABORTED and lost(table, key, *recorded) == []


@pytest.mark.full
def test_counters(table: Table) -> None:
    hour = Step.HOUR.floor(datetime.now(UTC)) - timedelta(hours=2)
    for minute, shard in ((3, 0), (4, 1)):
        cell = Cell(hour + timedelta(minutes=minute), 1, "prod")
        key = counter_rows.partition("m", shard), counter_rows.sort_key(Step.MINUTE, cell)
        later = {"retried": 2, "d_of_later": 1, "later-é": 3}
        table.write([Add(key, {"requests": 5, "h7": 5} | later, {"expires_at": 2**40})])
        table.write([Add(counter_rows.active_key(hour, "m", shard), {"x": 1}, {"expires_at": 2**40, "later": "text"})])
    assert len(list(RollUp(table).run(datetime.now(UTC), NEVER)))
    row = table.get((counter_rows.partition("m"), counter_rows.sort_key(Step.HOUR, Cell(hour, 1, "prod"))))
    assert row and (row["requests"], row["h7"], row["retried"], row["d_of_later"], row["later-é"]) == (10, 10, 4, 2, 6)
    found = Metrics(table).points("m", Step.DAY, Step.DAY.floor(hour), datetime.now(UTC))
    assert [(counts.requests, counts.histogram) for counts in found.values()] == [(10, {7: 10})]


@pytest.mark.full
def test_every_row_is_read_over(registry: Registry, table: Table, table_name: str, endpoint_url: str) -> None:
    """Those too that are written once: history, indexes, marks, claims, what an Idempotency-Key created."""
    idempotency = Idempotency("ann", "once", "digest")
    registry.models.create("m", "", {}, "ann", idempotency)
    ready(registry), ready(registry)
    registry.versions.create("m", [FILE], "", {}, "ann")
    registry.validation.start("m", 3, "ann")
    registry.aliases.set("m", "prod", [Route(1, 50), Route(2, 50)], "ann")
    registry.aliases.set("m", "next", 1, "ann")
    registry.rollouts.start("m", Plan("next", 2, (10, 100), 1), "ann", lambda *_: {})
    registry.models.create("gone", "", {}, "ann")
    registry.models.delete("gone", "ann")
    secret, keys, jobs = registry.secret("pages"), Keys(table), Jobs(table)
    key, _ = keys.create("ci", ["models:read"], ADMIN)
    made = jobs.create(job())
    jobs.shards.add(made, shards(2))
    jobs.shards.finish(made, shards(1)[0], done(shards(1)[0]), [])
    rows = client("dynamodb", "us-east-1", endpoint_url).scan(TableName=table_name)["Items"]
    for row in rows:
        rewrite(table, (row["pk"]["S"], row["sk"]["S"]), ())
    kinds_of_rows = "DELETED I J JOBS JOBS_OPEN K KEYS M MODELS OUTPUTS ROLLOUTS SECRETS UNREADY"
    assert {row["pk"]["S"].partition("#")[0] for row in rows} == set(kinds_of_rows.split())

    assert registry.models.create("m", "", {}, "ann", idempotency).name == "m"
    assert len(registry.history.page("m", 100)[0]) == len(kinds(registry))
    assert [entry.kind for entry in keys.history(key.id, 10)[0]] == ["key.created"]
    assert registry.aliases.routes_at("m", "prod", datetime.now(UTC)) == (Route(2, 50), Route(1, 50))
    assert [one.number for one in registry.stalled(datetime.now(UTC) + timedelta(days=1))] == [3]
    assert registry.secret("pages") == secret
    (opened,) = registry.rollouts.open()
    assert isinstance(registry.rollouts.abort(*opened, "bob"), Rollout)
    assert [one.id for one in jobs.open("9")] == [made.id] and list(jobs.shards.pending(made.id)) == ["00001"]
    assert (jobs.shards.tally(made.id).done, jobs.shards.tally(made.id).rows) == (1, 10)
    assert registry.models.restore("gone", "ann").name == "gone"
    registry.models.delete("m", "ann")
    registry.purge(Objects()).model("m", "ann", NEVER)
    assert registry.models.create("m", "", {}, "ann").last_version == 3
