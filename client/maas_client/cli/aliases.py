"""Commands that manage aliases: alias set, get, rm, and rollback."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Model, Url, connect
from maas_client.cli.output import echo, fields, print_json
from maas_client.cli.shares import in_short, in_words
from maas_client.cli.texts import time, whole

if TYPE_CHECKING:
    from maas_client.model_records import Alias

AliasName = Annotated[str, typer.Argument(metavar="ALIAS")]

alias = typer.Typer(
    name="alias", help="Aliases: names that clients call and that lead to versions.", no_args_is_help=True
)


def share(text: str) -> tuple[int, int | None]:
    """A reader of VERSION or VERSION=WEIGHT on the command line."""
    version, equals, weight = text.partition("=")
    return whole(1)(version), whole(1, 99)(weight) if equals else None


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
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Lead an alias to a version, or share its requests among several; traffic follows within seconds."""
    version, routes = _target(shares or [])  # type: ignore[arg-type]  # the parser makes pairs
    if version is None and routes is None and sticky is None:
        raise typer.BadParameter("expected a VERSION, two or more VERSION=WEIGHT, or --sticky")
    with connect(url, api_key) as maas:
        made = maas.aliases.set(model, name, version, routes=routes, sticky=sticky)
    print_json(made) if as_json else echo(
        f"{model}@{name} is {in_words(made.version, made.routes, made.sticky)}{_before(made)}"
    )


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
            print_json(found) if as_json else echo(
                f"{model}@{name} is {in_words(found.version, found.routes, found.sticky)}{_before(found)}"
            )
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


COMMANDS = (rollback,)
