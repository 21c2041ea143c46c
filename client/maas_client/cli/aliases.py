"""Commands that manage aliases: alias set, get, rm, and rollback."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Model, Url, connect
from maas_client.cli.output import echo, print_json
from maas_client.cli.texts import time, whole

if TYPE_CHECKING:
    from maas_client.model_records import Alias

AliasName = Annotated[str, typer.Argument(metavar="ALIAS")]

alias = typer.Typer(
    name="alias", help="Aliases: names that clients call and that point to versions.", no_args_is_help=True
)


@alias.command("set")
def set_alias(
    model: Model,
    name: AliasName,
    version: Annotated[int, typer.Argument(metavar="VERSION", parser=whole(1), help="The number of a READY version.")],
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Point an alias to a version; traffic follows within seconds."""
    with connect(url, api_key) as maas:
        made = maas.aliases.set(model, name, version)
    print_json(made) if as_json else echo(f"{model}@{name} is version {made.version}{_before(made)}")


@alias.command("get")
def get_alias(
    model: Model,
    name: AliasName,
    at: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            parser=time,
            help="Show the version that was live at this time, as in 2026-01-31 or 2026-01-31T09:30:00Z; "
            "local time unless it has an offset.",
        ),
    ] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Show the version that an alias points to, now or at a past time."""
    with connect(url, api_key) as maas:
        if at is None:
            found = maas.aliases.get(model, name)
            print_json(found) if as_json else echo(f"{model}@{name} is version {found.version}{_before(found)}")
            return
        then = at.astimezone()
        version = maas.aliases.at(model, name, then)
    if as_json:
        print_json({"alias": name, "model": model, "at": then.isoformat(), "version": version})
    else:
        was = "nothing" if version is None else f"version {version}"
        echo(f"{model}@{name} was {was} at {then.isoformat()}")


@alias.command("rm")
def remove_alias(model: Model, name: AliasName, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Remove an alias; the version stays."""
    with connect(url, api_key) as maas:
        maas.aliases.delete(model, name)
    print_json({"model": model, "alias": name}) if as_json else echo(f"{model}@{name} is removed")


def rollback(model: Model, name: AliasName, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Point an alias back to the version before its last change."""
    with connect(url, api_key) as maas:
        made = maas.aliases.rollback(model, name)
    print_json(made) if as_json else echo(f"{model}@{name} is version {made.version} again{_before(made)}")


def _before(found: "Alias") -> str:
    return "" if found.previous_version is None else f" (before: {found.previous_version})"


COMMANDS = (rollback,)
