"""Commands that manage aliases: alias set, get, rm, and rollback."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from maas_client.cli.options import Json, Key, Model, Url, connect
from maas_client.cli.output import echo, fields, print_json
from maas_client.cli.shares import in_short, in_words
from maas_client.cli.texts import comparison, positive, time, whole

if TYPE_CHECKING:
    from maas_client.records.models import Alias

AliasName = Annotated[str, typer.Argument(metavar="ALIAS")]

alias = typer.Typer(
    name="alias", help="Aliases: names that clients call and that lead to versions.", no_args_is_help=True
)


class What(StrEnum):
    inputs = "inputs"
    outputs = "outputs"
    both = "both"


def share(text: str) -> tuple[int, int | None]:
    """A reader of VERSION or VERSION=WEIGHT on the command line."""
    version, equals, weight = text.partition("=")
    return whole(1)(version), whole(1, 99)(weight) if equals else None


def percent(text: str) -> dict[str, Any] | Literal[False]:
    """A reader of PERCENT or none on the command line."""
    return False if text == "none" else {"percent": positive(text)}


def copied(text: str) -> dict[str, Any] | Literal[False]:
    """A reader of VERSION=PERCENT or none."""
    version, equals, share = text.partition("=")
    if text == "none":
        return False
    if not equals:
        raise typer.BadParameter(f"got {text!r}, expected VERSION=PERCENT, as in 2=10, or none")
    return {"version": whole(1)(version), "percent": positive(share)}


@alias.command("set")
def set_alias(
    model: Model,
    name: AliasName,
    shares: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VERSION[=WEIGHT]",
            parser=share,
            help="The number of a READY version; or several with their shares of a hundred requests, as in 3=10 2=90.",
            show_default=False,
        ),
    ] = None,
    sticky: Annotated[
        str | None,
        typer.Option(
            "--sticky", help="Who keeps a version: caller, header:NAME, or none. Without this it stays as it is."
        ),
    ] = None,
    shadow: Annotated[
        str | None,
        typer.Option(
            "--shadow",
            metavar="VERSION=PERCENT",
            parser=copied,
            help="Run so many requests on this version too; or none.",
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="RTOL,ATOL|top1|none",
            parser=comparison,
            help="How the shadow's outputs are compared with the answers; default: 0.001,0.00001.",
        ),
    ] = None,
    capture: Annotated[
        str | None,
        typer.Option("--capture", metavar="PERCENT", parser=percent, help="Keep so many requests; or none."),
    ] = None,
    what: Annotated[What | None, typer.Option("--what", help="What is kept; default: both.")] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", parser=whole(1), help="How long it is kept: 1, 7, 30, 90 or 365; default: 7."),
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option("--redact", metavar="NAME", help="A tensor or parameter to leave out; repeatable."),
    ] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Lead an alias to a version, or share its requests among several; traffic follows within seconds."""
    version, routes = _target(shares or [])  # type: ignore[arg-type]  # the parser makes pairs
    shadowed = _with(shadow, {"compare": compare}, "--shadow")
    captured = _with(
        capture, {"what": what.value if what else None, "days": days, "redact": redact or None}, "--capture"
    )
    if version is None and all(one is None for one in (routes, sticky, shadowed, captured)):
        raise typer.BadParameter("expected a VERSION, two or more VERSION=WEIGHT, --sticky, --shadow or --capture")
    with connect(url, api_key) as maas:
        made = maas.aliases.set(model, name, version, routes=routes, sticky=sticky, shadow=shadowed, capture=captured)
    print_json(made) if as_json else echo(
        f"{model}@{name} is {in_words(made.version, made.routes, made.sticky)}{_before(made)}{_copies(made)}"
    )


def _with(given: Any, options: dict[str, Any], option: str) -> Any:
    """What `option` says, with the options that belong to it."""
    named = {name: value for name, value in options.items() if value is not None}
    if named and not given:
        raise typer.BadParameter(f"got --{next(iter(named))}, expected {option} beside it")
    return {**given, **named} if given else given


def _target(shares: list[tuple[int, int | None]]) -> tuple[int | None, dict[int, int] | None]:
    """The version, or the weight of each."""
    if not shares:
        return None, None
    if len(shares) == 1 and shares[0][1] is None:
        return shares[0][0], None
    routes: dict[int, int] = {}
    for version, weight in shares:
        if weight is None:
            raise typer.BadParameter(f"got {version} without a weight, expected {version}=WEIGHT beside others")
        if version in routes:
            raise typer.BadParameter(f"got version {version} twice")
        routes[version] = weight
    return None, routes


@alias.command("get")
def get_alias(
    model: Model,
    name: AliasName,
    at: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            parser=time,
            help="Show what was live at this time, as in 2026-01-31 or 2026-01-31T09:30:00Z; "
            "local time unless it has an offset.",
        ),
    ] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Show where an alias leads, now or at a past time."""
    with connect(url, api_key) as maas:
        if at is None:
            found = maas.aliases.get(model, name)
            said = f"{in_words(found.version, found.routes, found.sticky)}{_before(found)}{_copies(found)}"
            said += f"; rollout {found.rollout} moves it" if found.rollout else ""
            print_json(found) if as_json else echo(f"{model}@{name} is {said}")
            return
        when = at.astimezone()
        then = maas.aliases.at(model, name, when)
    if as_json:
        print_json({"alias": name, "model": model, "at": when.isoformat(), **fields(then)})
    else:
        echo(f"{model}@{name} was {in_words(then.version, then.routes)} at {when.isoformat()}")


@alias.command("rm")
def remove_alias(model: Model, name: AliasName, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Remove an alias; its versions stay."""
    with connect(url, api_key) as maas:
        maas.aliases.delete(model, name)
    print_json({"model": model, "alias": name}) if as_json else echo(f"{model}@{name} is removed")


def rollback(model: Model, name: AliasName, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Lead an alias back to where it led before its last change."""
    with connect(url, api_key) as maas:
        made = maas.aliases.rollback(model, name)
    print_json(made) if as_json else echo(
        f"{model}@{name} is {in_words(made.version, made.routes, made.sticky)} again{_before(made)}"
    )


def _before(found: "Alias") -> str:
    before = found.previous_routes
    if len(before) > 1:
        return f" (before: {in_short(before)})"
    return "" if found.previous_version is None else f" (before: {found.previous_version})"


def _copies(found: "Alias") -> str:
    shadow, capture = found.shadow, found.capture
    said = f"; version {shadow['version']} shadows {shadow['percent']:g} %" if shadow else ""
    kept = f"; {capture['percent']:g} % are captured for {capture['days']} days" if capture else ""
    return said + kept


COMMANDS = (rollback,)
