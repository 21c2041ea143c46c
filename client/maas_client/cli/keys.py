"""Commands that manage API keys."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Url, connect
from maas_client.cli.output import echo, print_json
from maas_client.cli.texts import whole

if TYPE_CHECKING:
    from maas_client.records.keys import NewKey

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
keys = typer.Typer(name="keys", help="API keys: scopes, expiry, rotation.", no_args_is_help=True)


def duration(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if not found:
        raise typer.BadParameter(f"{text!r}: expected a number and s, m, h or d, as in 90d or 1h")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, from `maas keys list`; not secret.")]


@keys.command()
def create(
    name: Annotated[str, typer.Option("--name", "-n", help="A name for the key.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            "-s",
            help="models:read, models:write, infer, infer:MODEL, jobs, rollouts:breach, captures:read, keys or admin; "
            "repeatable.",
        ),
    ],
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="90d", help="Lifetime from now; default: no expiry.")
    ] = None,
    rate: Annotated[
        int | None, typer.Option("--rate", metavar="N", parser=whole(1), help="Requests per second.")
    ] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Create a key and print it once. Its scopes cannot exceed those of the calling key."""
    until = datetime.now(UTC) + duration(expires) if expires else None
    with connect(url, api_key) as maas:
        made = maas.keys.create(name, scope, expires_at=until, requests_per_second=rate)
    show_new_key(made, as_json)


@keys.command("list")
def list_keys(
    revoked: Annotated[bool, typer.Option("--revoked", help="Include revoked keys.")] = False,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """List keys. Secrets are never shown."""
    from maas_client.cli.render.keys import show_keys

    with connect(url, api_key) as maas:
        found = maas.keys.list(include_revoked=revoked)
    print_json({"keys": found}) if as_json else show_keys(found)


@keys.command()
def whoami(as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Show whose key is used, and its scopes."""
    with connect(url, api_key) as maas:
        found = maas.keys.caller()
    if as_json:
        print_json(found)
        return
    echo(found.actor)
    echo(f"scopes: {', '.join(found.scopes) or 'none'}")
    if found.expires_at:
        echo(f"expires: {found.expires_at}")
    if found.requests_per_second:
        echo(f"requests per second: {found.requests_per_second}")


@keys.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[str, typer.Option("--grace", metavar="1h", help="How long the old secret stays valid.")] = "1h",
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Give a key a new secret and print it once; the old one stays valid for the grace time."""
    seconds = int(duration(grace).total_seconds())
    with connect(url, api_key) as maas:
        made = maas.keys.rotate(key_id, seconds)
    show_new_key(made, as_json)


@keys.command()
def revoke(key_id: KeyId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Revoke a key permanently, within seconds."""
    with connect(url, api_key) as maas:
        gone = maas.keys.revoke(key_id)
    print_json(gone) if as_json else echo(f"{gone.id} ({gone.name}) is revoked")


def show_new_key(made: "NewKey", as_json: bool) -> None:
    """The key alone on standard output, for scripts; its description on standard error."""
    if as_json:
        print_json(made)
        return
    until = f", until {made.expires_at}" if made.expires_at else ""
    echo(f"{made.id} ({made.name}): {' '.join(made.scopes)}{until}. It is shown only once:", err=True)
    echo(made.key)
