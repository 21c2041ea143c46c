"""What commands share: options, model references, the client."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maas_client.cli.output import harmless
from maas_client.cli.texts import whole
from maas_client.errors import MaasError

if TYPE_CHECKING:
    from maas_client import MaasClient


def complete(incomplete: str) -> list[str]:
    """Models with this prefix; after an @, aliases and newest versions. Nothing if the server does not answer."""
    model, at, beginning = incomplete.partition("@")
    with suppress(MaasError), connect(None, None, attempts=1) as maas:
        if not at:
            return harmless([found.name for found in maas.models.list(100, prefix=model)])
        known = [*maas.models.get(model).aliases, *(str(found.version) for found in maas.versions.list(model, 20))]
        return harmless([f"{model}@{one}" for one in known if one.startswith(beginning)])
    return []


Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="MAAS_URL", show_envvar=True, help="The server; default: http://127.0.0.1:8080."),
]
Key = Annotated[
    str | None,
    typer.Option("--api-key", envvar="MAAS_API_KEY", show_envvar=True, help="The API key."),
]
Model = Annotated[str, typer.Argument(autocompletion=complete)]
Reference = Annotated[
    str,
    typer.Argument(metavar="MODEL[@VERSION]", help="The version is a number or an alias.", autocompletion=complete),
]
Numbered = Annotated[
    str,
    typer.Argument(metavar="MODEL[@NUMBER]", help="The whole model, or one version of it.", autocompletion=complete),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="A tag; repeatable.")]
WantedTags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY[=VALUE]", help="Only with this tag; repeatable.")
]
Limit = Annotated[int | None, typer.Option("--limit", "-l", metavar="N", parser=whole(1), help="At most this many.")]
Deleted = Annotated[bool, typer.Option("--deleted", help="Include deleted ones.")]


@contextmanager
def connect(url: str | None, api_key: str | None, **settings: Any) -> Iterator["MaasClient"]:
    from maas_client import MaasClient

    with MaasClient(url, api_key, **settings) as maas:
        yield maas


def split(reference: str) -> tuple[str, str | None]:
    """Model, and the number or alias after an @."""
    model, at, version = reference.partition("@")
    if not model or (at and not version):
        raise typer.BadParameter(f"{reference!r}: expected MODEL or MODEL@VERSION, as in digits@production or digits@2")
    return model, version or None


def numbered(reference: str) -> tuple[str, int | None]:
    """Model, and version number if any. Not an alias: it may move while its version is deleted or restored."""
    model, version = split(reference)
    if version is not None and not is_number(version):
        raise typer.BadParameter(f"{reference!r}: expected MODEL or MODEL@NUMBER, as in digits or digits@2")
    return model, int(version) if version else None


def is_number(version: str) -> bool:
    """Whether it is a version's number, not an alias."""
    return re.fullmatch(r"[1-9][0-9]{0,17}", version) is not None


def tag_of(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"{text!r}: expected KEY=VALUE, as in team=vision")
    return key, value


def option_of(text: str) -> tuple[str, Any]:
    """Name and value of NAME=VALUE: JSON, or else text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r}: expected NAME=VALUE, as in top_k=3")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value
