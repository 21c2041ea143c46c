"""Measures a version at shapes that a caller names: what a request of this size costs."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from maas.deployment.profile import usd_per_million
from maas.deployment.profile_at import MAX_RUNS, profile_at
from maas.telemetry.observation import concerns
from maas.web import events
from oip_routes import MODEL, VERSION
from plane import VERSIONED, Plane

Size = Annotated[int, Field(strict=True, ge=1)]

routes = APIRouter()


class ProfileRequest(BaseModel):
    """`shapes` by input name. Inputs whose sizes follow from the signature or from other inputs may be left out."""

    model_config = ConfigDict(extra="forbid")

    shapes: dict[str, list[Size]]
    runs: Annotated[int, Field(strict=True, ge=1, le=MAX_RUNS)] = 5


class ProfileAnswer(BaseModel):
    """`run_ms` is the median of `runs`; the cost is of a million warm requests like this, at `memory_mb`."""

    model_name: str
    model_version: str
    shapes: dict[str, list[int]]
    runs: int
    run_ms: float
    memory_mb: int
    cost_per_million_usd: float


@routes.post(f"{MODEL}/profile", responses=VERSIONED)
@routes.post(f"{VERSION}/profile", responses=VERSIONED)
def profile(
    plane: Plane, request: Request, model: str, wanted: ProfileRequest, version: str | None = None
) -> ProfileAnswer:
    """Runs the model on generated inputs, in this function: at most 20 runs, within 20 seconds."""
    deadline = events.deadline_of(request.scope["aws.context"])
    resolved = plane.resolve(model, version)
    found = resolved.version
    concerns(resolved.version, resolved.alias)
    measured = profile_at(plane.runner(resolved, deadline, {"task": "raw"}), wanted.shapes, wanted.runs, deadline)
    memory_mb: int = request.app.state.memory_mb
    return ProfileAnswer(
        model_name=found.model,
        model_version=str(found.number),
        shapes={name: list(shape) for name, shape in measured.shapes.items()},
        runs=measured.runs,
        run_ms=round(measured.run_ms, 3),
        memory_mb=memory_mb,
        cost_per_million_usd=usd_per_million(measured.run_ms, memory_mb, memory_mb),
    )
