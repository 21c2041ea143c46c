"""The command `stats`: what the versions of a model did, over all environments, as a table with sparklines."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Model, Url, connect
from maas_client.cli.output import print_json
from maas_client.cli.texts import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from maas_client.records.metrics import ModelMetrics

LOOK_SECONDS = 5


class By(StrEnum):
    version = "version"
    alias = "alias"


class Step(StrEnum):
    minute = "minute"
    hour = "hour"
    day = "day"


def stats(
    model: Model,
    by: Annotated[By, typer.Option("--by", help="What a line is of.")] = By.version,
    since: Annotated[
        timedelta | None,
        typer.Option("--since", metavar="30m|1h|7d", parser=duration, help="How far to look back; default: 1h."),
    ] = None,
    step: Annotated[Step | None, typer.Option("--step", help="Default: the finest that is possible.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every five seconds, until Ctrl-C.")] = False,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Show requests, errors, latencies and cost of a model over all environments, some ten seconds late."""
    from maas_client.cli.looks import console
    from maas_client.cli.render.stats import shown

    if watch and as_json:
        raise typer.BadParameter("--watch draws, --json prints once: give one of them")
    with connect(url, api_key) as maas:

        def look() -> "ModelMetrics":
            now = datetime.now(UTC)
            return maas.models.metrics(
                model,
                start=now - (since or timedelta(hours=1)),
                end=now,
                step=step.value if step else None,
                by=by.value,
            )

        if as_json:
            print_json(look())
        elif watch:
            _watch(lambda: shown(look()))
        else:
            console().print(shown(look()), soft_wrap=True)


def _watch(draw: "Callable[[], RenderableType]") -> None:
    import time

    from rich.live import Live

    from maas_client.cli.looks import console

    with Live(draw(), console=console(), auto_refresh=False) as live:
        while True:
            time.sleep(LOOK_SECONDS)
            live.update(draw(), refresh=True)


COMMANDS = (stats,)
