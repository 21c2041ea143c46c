"""Commands of rollouts: rollout start, status, pause, resume, abort."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Model, Url, complete, connect, is_number, split
from maas_client.cli.output import print_json
from maas_client.cli.texts import positive, whole
from maas_client.errors import InvalidInput

if TYPE_CHECKING:
    from maas_client import MaasClient
    from maas_client.records.rollouts import Rollout

POLL_SECONDS = 2.0
FAILED = 1

Id = Annotated[
    int | None,
    typer.Argument(metavar="[ID]", parser=whole(1), help="The rollout; default: the open one.", show_default=False),
]
OfAlias = Annotated[str | None, typer.Option("--alias", "-a", help="The open rollout of this alias.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why: it stands in the history.")]
Watch = Annotated[
    bool, typer.Option("--watch", "-w", help="Show each look until the rollout ends; exit with 1 if it failed.")
]

rollout = typer.Typer(
    name="rollout",
    help="Rollouts: a version gets an alias's requests step by step, and goes back by itself if it is worse.",
    no_args_is_help=True,
)


def steps(text: str) -> list[int]:
    """A reader of 5,25,50,100 on the command line."""
    return [whole(1, 100)(step.strip()) for step in text.split(",")]


@rollout.command()
def start(
    reference: Annotated[
        str, typer.Argument(metavar="MODEL@NUMBER", help="The version that gets the requests.", autocompletion=complete)
    ],
    alias: Annotated[str, typer.Argument(metavar="ALIAS")],
    shares: Annotated[
        str | None,
        typer.Option("--steps", parser=steps, help="Percents of the requests, the last 100; default: 5,25,50,100."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", parser=positive, help="How long a step takes at least; default: 10.")
    ] = None,
    error_rate: Annotated[
        float | None, typer.Option("--error-rate", parser=positive, help="The most that may fail, as in 0.02.")
    ] = None,
    p95_ms: Annotated[
        float | None, typer.Option("--p95-ms", parser=positive, help="The time that 95 % must stay below.")
    ] = None,
    shadow_mismatch: Annotated[
        float | None,
        typer.Option("--shadow-mismatch", parser=positive, help="The most that may differ as a shadow, as in 0.01."),
    ] = None,
    min_requests: Annotated[
        int | None,
        typer.Option("--min-requests", parser=whole(1), help="Requests that a step waits for; default: 100."),
    ] = None,
    on_breach: Annotated[
        str | None, typer.Option("--on-breach", metavar="rollback|pause", help="Default: rollback.")
    ] = None,
    notify: Annotated[
        str | None, typer.Option("--notify", help="An https URL or SNS topic that is told of each step.")
    ] = None,
    watch: Watch = False,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Give a version its first share of an alias's requests."""
    model, version = split(reference)
    if version is None or not is_number(version):
        raise typer.BadParameter(f"{reference!r}: expected MODEL@NUMBER, as in digits@3")
    with connect(url, api_key) as maas:
        made = maas.rollouts.start(
            model,
            alias,
            int(version),
            steps=shares,  # type: ignore[arg-type]  # the parser makes a list
            minutes_per_step=minutes,
            error_rate=error_rate,
            p95_ms=p95_ms,
            shadow_mismatch=shadow_mismatch,
            min_requests=min_requests,
            on_breach=on_breach,
            notify=notify,
        )
        _tell(maas, made, as_json, watch)


@rollout.command()
def status(
    model: Model,
    number: Id = None,
    alias: OfAlias = None,
    watch: Watch = False,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Show the step, the guard's last decision and its figures; of the newest rollout if none is open."""
    with connect(url, api_key) as maas:
        _tell(maas, _found(maas, model, number, alias, ended=True), as_json, watch)


@rollout.command()
def pause(
    model: Model,
    number: Id = None,
    alias: OfAlias = None,
    reason: Reason = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Keep the shares as they are: nothing looks at the rollout until it is resumed."""
    with connect(url, api_key) as maas:
        _tell(maas, maas.rollouts.pause(model, _found(maas, model, number, alias).id, reason), as_json)


@rollout.command()
def resume(
    model: Model,
    number: Id = None,
    alias: OfAlias = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Begin the step anew; after a breach, with figures from now on."""
    with connect(url, api_key) as maas:
        _tell(maas, maas.rollouts.resume(model, _found(maas, model, number, alias).id), as_json)


@rollout.command()
def abort(
    model: Model,
    number: Id = None,
    alias: OfAlias = None,
    reason: Reason = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Give the alias back what it had before the rollout."""
    with connect(url, api_key) as maas:
        _tell(maas, maas.rollouts.abort(model, _found(maas, model, number, alias).id, reason), as_json)


def _found(maas: "MaasClient", model: str, number: int | None, alias: str | None, ended: bool = False) -> "Rollout":
    """The one asked for. Raises InvalidInput if there is none, or more than one that is open."""
    if number is not None:
        return maas.rollouts.get(model, number)
    found = maas.rollouts.list(model, alias=alias, is_open=True)
    if not found and ended:
        found = maas.rollouts.list(model, 1, alias=alias)
    if not found:
        raise InvalidInput(f"{model} has no open rollout" if not ended else f"{model} has had no rollout")
    if len(found) > 1:
        names = ", ".join(sorted(f"{one.id} (--alias {one.alias})" for one in found))
        raise InvalidInput(f"{model} has several open rollouts: {names}")
    return found[0]


def _tell(maas: "MaasClient", found: "Rollout", as_json: bool, watch: bool = False) -> None:
    from maas_client.cli.render.rollouts import show_look, show_rollout

    print_json(found) if as_json else show_rollout(found)
    if not watch:
        return
    shown = found
    while found.is_open:
        time.sleep(POLL_SECONDS)
        found = maas.rollouts.get(found.model, found.id)
        if (found.status, found.weight, found.decision) != (shown.status, shown.weight, shown.decision):
            print_json(found) if as_json else show_look(found)
            shown = found
    if found.status != "SUCCEEDED":
        raise typer.Exit(FAILED)
