"""/api/v1/models/{model}/metrics: counters of all environments."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from maas import bootstrap
from maas.metrics.counter_rows import Step
from maas.metrics.series import By, grouped, span
from objects import prices, registry, settings
from openapi import refusals
from parameters import Absent, ModelName
from schemas.metrics import Metrics
from schemas.shared import Time

router = APIRouter(prefix="/models/{model}/metrics", tags=["metrics"])
metrics = bootstrap.metrics(settings)


@router.get("", responses=refusals(404, 410))
def model_metrics(
    model: ModelName,
    start: Annotated[Time | Absent, Query(alias="from", description="By default an hour before `to`.")] = None,
    end: Annotated[Time | Absent, Query(alias="to", description="By default now; at most a day from now.")] = None,
    step: Annotated[
        Literal["minute", "hour", "day"] | Absent, Query(description="By default the finest that gives 400 points.")
    ] = None,
    by: Annotated[By, Query(description="What a series is of.")] = "version",
) -> Metrics:
    """Requests, errors, latencies, rows and cost of the model's versions or aliases, over all environments."""
    owner = registry.models.get(model)
    wanted = span(start, end, Step[step.upper()] if step else None, datetime.now(UTC))
    points = metrics.points(model, wanted.step, wanted.start, wanted.end)
    series = grouped(points, by, owner.versions_before)
    return Metrics.of(model, wanted, by, series, settings.region, prices)
