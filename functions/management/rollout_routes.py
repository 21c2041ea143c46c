"""/api/v1/models/{model}/rollouts: a version gets an alias's requests step by step, as long as no guard is breached."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from maas import bootstrap
from maas.web.application import Actor
from objects import page_tokens, registry, settings
from openapi import CREATED_ROLLOUT, refusals
from parameters import Absent, Digits, Limit, ListScope, ModelName, OnceOnly, Token
from schemas.rollouts import Breach, Rollout, Rollouts, StartRollout, Why
from schemas.shared import AliasText

RolloutId = Annotated[int, Path(alias="rollout", ge=1, lt=10**12, examples=[42]), Digits]

tallies = bootstrap.tallies(settings)

router = APIRouter(prefix="/models/{model}/rollouts", tags=["rollouts"])


@router.post("", status_code=201, responses=CREATED_ROLLOUT | refusals(404, 409, 410))
def start_rollout(model: ModelName, body: StartRollout, actor: Actor, once: OnceOnly, response: Response) -> Rollout:
    """Give a READY version its first share of an alias's requests. An alias has one open rollout at most."""
    started = registry.rollouts.start(model, body.plan(), actor, tallies, once)
    response.headers["location"] = f"/api/v1/models/{model}/rollouts/{started.id}"
    return Rollout.of(started)


@router.get("", responses=refusals(404, 410))
def list_rollouts(
    model: ModelName,
    scope: ListScope,
    alias: Annotated[AliasText | Absent, Query(description="Only of this alias.")] = None,
    is_open: Annotated[bool | Absent, Query(alias="open", description="Only open ones, or only others.")] = None,
    limit: Limit = 100,
    token: Token = None,
) -> Rollouts:
    """Rollouts, newest first."""
    after = page_tokens.position(scope, token)
    found, last = registry.rollouts.page(model, limit, after, alias=alias, is_open=is_open)
    return Rollouts(rollouts=[Rollout.of(one) for one in found], next_page_token=page_tokens.issue(scope, last))


@router.get("/{rollout}", responses=refusals(404, 410))
def get_rollout(model: ModelName, rollout: RolloutId) -> Rollout:
    """The rollout with the guard's last decision and its figures."""
    return Rollout.of(registry.rollouts.get(model, rollout))


@router.post("/{rollout}/pause", responses=refusals(404, 409, 410))
def pause_rollout(model: ModelName, rollout: RolloutId, actor: Actor, body: Why = Why()) -> Rollout:  # noqa: B008
    """Keep the shares as they are. Nothing looks at a paused rollout: only people move it."""
    return Rollout.of(registry.rollouts.pause(model, rollout, actor, body.reason))


@router.post("/{rollout}/resume", responses=refusals(404, 409, 410))
def resume_rollout(model: ModelName, rollout: RolloutId, actor: Actor) -> Rollout:
    """Begin the step anew; after a breach, with figures from now on."""
    return Rollout.of(registry.rollouts.resume(model, rollout, actor, tallies))


@router.post("/{rollout}/abort", responses=refusals(404, 409, 410))
def abort_rollout(model: ModelName, rollout: RolloutId, actor: Actor, body: Why = Why()) -> Rollout:  # noqa: B008
    """Give the alias back what it had before the rollout."""
    return Rollout.of(registry.rollouts.abort(model, rollout, actor, body.reason))


@router.post("/{rollout}/breach", responses=refusals(404, 409, 410))
def breach_rollout(model: ModelName, rollout: RolloutId, actor: Actor, body: Breach) -> Rollout:
    """Report a breach from outside, such as an alarm: the rollout does what its `on_breach` says."""
    return Rollout.of(registry.rollouts.breach(model, rollout, actor, body.reason))
