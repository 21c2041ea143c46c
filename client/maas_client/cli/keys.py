"""Commands about API keys: who may do what, and until when."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Url, connect, print_json

if TYPE_CHECKING:
    from maas_client.key_records import NewKey

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
keys = typer.Typer(name="keys", help="API keys: who may do what, and until when.", no_args_is_help=True)


def duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        raise typer.BadParameter(f"{text!r}: expected a number and s, m, h or d, as in 90d or 1h")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


KeyId = Annotated[str, typer.Argument(metavar="ID", help="As `maas keys list` shows it; no secret.")]


@keys.command()
def create(
    name: Annotated[str, typer.Option("--name", "-n", help="What the key is for.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope", "-s", help="models:read, models:write, infer, infer:MODEL, jobs, keys or admin; may be repeated."
        ),
    ],
    expires: Annotated[str | None, typer.Option("--expires", metavar="90d", help="From now on; else never.")] = None,
    rate: Annotated[int | None, typer.Option("--rate", min=1, help="Requests per second.")] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Make a key and print it, once. It can have no scope that the key you call with has not."""
    until = datetime.now(UTC) + duration(expires) if expires else None
    with connect(url, api_key) as maas:
        made = maas.create_key(name, scope, expires_at=until, requests_per_second=rate)
    show_new_key(made, as_json)


@keys.command("list")
def list_keys(
    revoked: Annotated[bool, typer.Option("--revoked", help="Revoked ones too.")] = False,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """What keys there are. Nothing of a key can be seen that lets anybody use it."""
    from maas_client.cli.render_keys import show_keys

    with connect(url, api_key) as maas:
        found = maas.api_keys(include_revoked=revoked)
    print_json({"keys": found}) if as_json else show_keys(found)


@keys.command()
def rotate(
    key_id: KeyId,
    grace: Annotated[str, typer.Option("--grace", metavar="1h", help="How long the old text is good for.")] = "1h",
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Give a key another text and print it, once; the old one stays good for the grace time."""
    seconds = int(duration(grace).total_seconds())
    with connect(url, api_key) as maas:
        made = maas.rotate_key(key_id, seconds)
    show_new_key(made, as_json)


@keys.command()
def revoke(key_id: KeyId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """End a key for good, within seconds."""
    with connect(url, api_key) as maas:
        gone = maas.revoke_key(key_id)
    print_json(gone) if as_json else typer.echo(f"{gone.id} ({gone.name}) is revoked")


def show_new_key(made: "NewKey", as_json: bool) -> None:
    """The text alone on standard output, for a script to keep; what it is on standard error."""
    if as_json:
        print_json(made)
        return
    until = f", until {made.expires_at}" if made.expires_at else ""
    typer.echo(f"{made.id} ({made.name}): {' '.join(made.scopes)}{until}. It is shown this once:", err=True)
    typer.echo(made.key)
