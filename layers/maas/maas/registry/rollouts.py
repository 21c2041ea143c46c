"""Rollouts: started, looked at, moved on, paused, ended. Each move is a change of the model with its history entry."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from maas.aws.dynamodb import WriteConflict
from maas.aws.writes import Delete, Put
from maas.errors import Conflict, Contended, InvalidRequest, NotFound, NotReady
from maas.records import RegisteredModel, Status
from maas.records.aliases import Alias
from maas.registry.rollout_changes import Move, previous_of, stored
from maas.registry.routing import check_unmoved
from maas.registry.state import table_rows
from maas.registry.state.changes import Change
from maas.registry.state.idempotency import Idempotency, idempotency_row, made_before
from maas.registry.state.ledger import Ledger, attempts
from maas.rollout.guard import Decision, Standing, Tally, breached
from maas.rollout.rollout_records import PAUSE, Plan, Rollout, RolloutStatus, check_plan
from maas.times import canonical

PAGE = 100
MINUTE = timedelta(minutes=1)
# By version, what was counted of a model by an alias in the minutes from one time until before another. The last
# argument is `p95_ms`.
Tallies = Callable[[str, str, datetime, datetime, float | None], Mapping[int, Tally]]
_Decided = Callable[[RegisteredModel, Rollout, str], Change | None]


class Rollouts:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get(self, model: str, number: int) -> Rollout:
        """Raises NotFound, Gone."""
        self._ledger.model(model)
        return stored(self._ledger, model, number)

    def indexed(self, model: str, number: int) -> Rollout | None:
        """One that `open` named, also of a deleted model; None if it was purged, and then it is named no more."""
        try:
            return stored(self._ledger, model, number)
        except NotFound:
            self._ledger.table.delete([table_rows.open_rollout_key(model, number)])
            return None

    def page(
        self, model: str, limit: int, after: str | None = None, *, alias: str | None = None, is_open: bool | None = None
    ) -> tuple[list[Rollout], str | None]:
        """Newest first. See `Ledger.page`. Raises NotFound, Gone."""
        self._ledger.model(model)
        return self._ledger.page(
            table_rows.partition(model),
            table_rows.ROLLOUT,
            limit,
            after,
            record=Rollout.of,
            sort_key=lambda rollout: table_rows.rollout_key(model, rollout.id)[1],
            keep=lambda found: alias in (None, found.plan.alias) and is_open in (None, found.is_open),
            newest_first=True,
        )

    def open(self) -> Iterator[tuple[str, int]]:
        """Model and id of those that are open or have something to tell: one query."""
        for row in self._ledger.table.items(table_rows.ROLLOUTS, "", page=PAGE):
            yield row["model"], row["id"]

    def start(
        self, model: str, plan: Plan, actor: str, tallies: Tallies, idempotency: Idempotency | None = None
    ) -> Rollout:
        """Give the version its first share of the alias's requests.

        Raises InvalidRequest, NotFound, Gone, NotReady, Conflict, Contended.
        """
        check_plan(plan)
        made: list[int] = []

        def decide(owner: RegisteredModel, now: str) -> Change | None:
            if before := made_before(self._ledger.table, idempotency):  # here, as the same call may run at this moment
                made[:] = [before[1] or 0]
                return None
            alias = owner.aliases.get(plan.alias)
            if alias is None:
                raise NotFound("alias", plan.alias, of=model)
            check_unmoved(model, plan.alias, alias)
            if alias.routes:
                raise Conflict(f"alias '{plan.alias}' shares its requests among versions: move it to one first")
            version = self._ledger.version(model, plan.version)
            if version.status is not Status.READY:
                raise NotReady(model, plan.version, version.status, version.status_reason)
            if alias.version == plan.version:
                raise Conflict(f"alias '{plan.alias}' leads to version {plan.version} already", field="version")
            _check_shadow(plan, alias)
            number = owner.revision + 1
            ours = model, number, plan, alias.version, actor
            rollout = Rollout(*ours, now, now, step_started_at=now, counted_from=now, previous=previous_of(alias))
            change = Move(owner, None, now, actor).stepped(_counting_from(rollout, now, tallies))
            return replace(change, also=(*change.also, *idempotency_row(idempotency, model, number)))

        change = self._ledger.change(model, decide, actor)
        return stored(self._ledger, model, change.model.revision if change else made[0])

    def pause(self, model: str, number: int, actor: str, reason: str | None = None) -> Rollout:
        """The shares stay as they are, and nothing looks at them. A paused one stays so. Raises as `abort` does."""

        def decide(owner: RegisteredModel, rollout: Rollout, now: str) -> Change | None:
            if rollout.status is RolloutStatus.PAUSED:
                return None
            paused = replace(rollout, status=RolloutStatus.PAUSED)
            return Move(owner, rollout, now, actor, reason).kept("rollout.paused", paused)

        return self._moved(model, number, actor, decide)

    def resume(self, model: str, number: int, actor: str, tallies: Tallies) -> Rollout:
        """The step begins anew; after a breach so does the guard, with what comes from now on. Raises as `abort`."""

        def decide(owner: RegisteredModel, rollout: Rollout, now: str) -> Change | None:
            if rollout.status is RolloutStatus.RUNNING:
                return None
            running = replace(rollout, status=RolloutStatus.RUNNING, step_started_at=now, breached=False)
            running = replace(running, standing=rollout.standing.at_next_step())
            if rollout.breached:
                running = _counting_from(replace(running, standing=Standing()), now, tallies)
            return Move(owner, rollout, now, actor).kept("rollout.resumed", running)

        return self._moved(model, number, actor, decide)

    def abort(self, model: str, number: int, actor: str, reason: str | None = None) -> Rollout:
        """Give the alias back what it had before. An aborted one stays so.

        Raises NotFound, Gone, Contended, Conflict for one that has ended.
        """

        def decide(owner: RegisteredModel, rollout: Rollout, now: str) -> Change | None:
            if rollout.status is RolloutStatus.ABORTED:
                return None
            return Move(owner, rollout, now, actor, reason).taken_back(rollout, RolloutStatus.ABORTED)

        return self._moved(model, number, actor, decide, RolloutStatus.ABORTED)

    def breach(self, model: str, number: int, actor: str, reason: str) -> Rollout:
        """Do what the plan says for a breach; one that was breached stays so. Raises as `abort` does."""

        def decide(owner: RegisteredModel, rollout: Rollout, now: str) -> Change | None:
            if rollout.breached or rollout.status is RolloutStatus.ROLLED_BACK:
                return None
            told = breached(rollout.plan.guards, rollout.standing, reason)
            move = Move(owner, rollout, now, actor, reason, told.figures)
            return _breached(move, replace(rollout, decision=told.at(now)))

        return self._moved(model, number, actor, decide, RolloutStatus.ROLLED_BACK)

    def looked(self, was: Rollout, seen: Rollout) -> bool:
        """Store a look that moves nothing; False if someone else came first."""
        return self._replaced(was, seen, [])

    def promoted(self, was: Rollout, seen: Rollout, decision: Decision, actor: str) -> bool:
        """Go to the next step; False if someone else came first. Raises Contended."""

        def decide(owner: RegisteredModel, now: str) -> Change | None:
            if not self._is_current(was):
                return None
            standing = seen.standing.at_next_step()
            new = replace(seen, step=was.step + 1, step_started_at=now, standing=standing)
            return Move(owner, was, now, actor, decision.reason, decision.figures).stepped(new)

        return self._ledger.change(was.model, decide, actor) is not None

    def guarded(self, was: Rollout, seen: Rollout, decision: Decision, actor: str) -> bool:
        """Do what the plan says for a breach; False if someone else came first. Raises Contended."""

        def decide(owner: RegisteredModel, now: str) -> Change | None:
            if not self._is_current(was):
                return None
            return _breached(Move(owner, was, now, actor, decision.reason, decision.figures), seen)

        return self._ledger.change(was.model, decide, actor) is not None

    def told(self, was: Rollout) -> bool:
        """Forget the events of `was`, which were told, and a rollout without any in the index once it has ended.

        Others may look or move meanwhile: what they wrote stays. Raises NotFound, Contended.
        """
        for _ in attempts():
            found = stored(self._ledger, was.model, was.id)
            left = tuple(event for event in found.pending if event not in was.pending)
            is_done = not left and not found.is_open
            if left == found.pending and not is_done:
                return False
            index = [Delete(table_rows.open_rollout_key(was.model, was.id))] if is_done else []
            if self._replaced(found, replace(found, pending=left), index):
                return True
        raise Contended(was.model)

    def _is_current(self, was: Rollout) -> bool:
        return stored(self._ledger, was.model, was.id).revision == was.revision

    def _replaced(self, was: Rollout, new: Rollout, also: list[Delete]) -> bool:
        row = replace(new, revision=was.revision + 1).row()
        try:
            self._ledger.table.write([Put(table_rows.rollout_key(was.model, was.id), row, was.revision), *also])
        except WriteConflict:
            return False
        return True

    def _moved(
        self, model: str, number: int, actor: str, decide: _Decided, ends_as: RolloutStatus | None = None
    ) -> Rollout:
        def checked(owner: RegisteredModel, now: str) -> Change | None:
            rollout = stored(self._ledger, model, number)
            if not rollout.is_open and rollout.status is not ends_as:
                raise Conflict(f"rollout {number} of model '{model}' has ended: it is {rollout.status}")
            return decide(owner, rollout, now)

        self._ledger.change(model, checked, actor)
        return stored(self._ledger, model, number)


def minute_of(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def _check_shadow(plan: Plan, alias: Alias) -> None:
    """Raises InvalidRequest for a limit of differences that nothing measures: the rollout would wait for ever."""
    limit = plan.guards.shadow_mismatch
    if limit is not None and (alias.shadow is None or alias.shadow.version != plan.version):
        expected = f"it only with version {plan.version} as the alias's shadow"
        raise InvalidRequest(
            f"guards.shadow_mismatch: got {limit:g}, expected {expected}", field="guards.shadow_mismatch"
        )


def _counting_from(rollout: Rollout, now: str, tallies: Tallies) -> Rollout:
    """What its minute has counted before is taken off."""
    minute, plan = minute_of(datetime.fromisoformat(now)), rollout.plan
    found = tallies(rollout.model, plan.alias, minute, minute + MINUTE, plan.guards.p95_ms)
    before = -found.get(plan.version, Tally()), -found.get(rollout.stable, Tally())
    return replace(rollout, settled=before, counted_from=canonical(minute))


def _breached(move: Move, rollout: Rollout) -> Change:
    if rollout.plan.on_breach == PAUSE:
        return move.kept("rollout.paused", replace(rollout, status=RolloutStatus.PAUSED, breached=True))
    return move.taken_back(replace(rollout, breached=True), RolloutStatus.ROLLED_BACK)
