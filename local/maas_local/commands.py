"""Commands that this package adds to `maas`: `local` and `keys bootstrap`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from maas_client.cli.keys import show_new_key
from maas_client.cli.options import Json
from maas_client.cli.texts import whole
from maas_client.errors import InvalidInput


def local(
    port: Annotated[
        int, typer.Option(metavar="PORT", parser=whole(0, 65535), help="The port to listen on; 0 takes a free one.")
    ] = 8080,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Keep everything in this folder.", show_default=".maas"),
    ] = None,
    memory: Annotated[bool, typer.Option("--memory", help="Keep nothing.")] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="A parameter of template.yaml; may be repeated."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the functions log.")] = False,
) -> None:
    """Run the whole system on this machine, from template.yaml, until Ctrl-C.

    Models, versions, history, keys, jobs and files are kept in .maas beside template.yaml: the next start has them
    again, with the same API key, and goes on with what was in flight, however this one ended. To begin anew, remove
    that folder. With AWS_ENDPOINT_URL, that endpoint stores everything instead.
    """
    if data and memory:
        raise InvalidInput("--memory keeps nothing, so --data has no use: leave one of them out")
    try:
        from maas_local.parameters import parsed
        from maas_local.stack import data_folder, serve
    except ImportError as error:
        raise InvalidInput(f"`maas local` needs `{error.name}`: run `make dev` in a checkout of MaaS") from error
    elsewhere = os.environ.get("AWS_ENDPOINT_URL")
    folder = None if memory or elsewhere else data or data_folder()
    serve(port=port, host=host, verbose=verbose, data=folder, parameters=parsed(parameter or ()))


def bootstrap(
    name: Annotated[str, typer.Option("--name", "-n", help="A name for the key.")] = "admin",
    table: Annotated[str | None, typer.Option("--table", envvar="MAAS_TABLE", help="The DynamoDB table.")] = None,
    stack: Annotated[str, typer.Option("--stack", help="The CloudFormation stack that owns the table.")] = "maas",
    as_json: Json = False,
) -> None:
    """Create the first key, of scope admin, directly in the table with your AWS credentials."""
    from maas_local.first_key import bootstrap as make

    show_new_key(make(name, table, stack), as_json)
