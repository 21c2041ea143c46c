"""The `maas` command. Commands import what they need when they run, so that `maas --help` is there at once."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maas_client.errors import InvalidInput, MaasError

if TYPE_CHECKING:
    from maas_client.client import MaasClient

commands = typer.Typer(
    name="maas",
    help="MaaS, Model as a Service: ONNX models in your own AWS account, behind the Open Inference Protocol.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else.")]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="MAAS_URL", show_envvar=True, help="The server; http://127.0.0.1:8080 if not given."),
]
Key = Annotated[
    str | None,
    typer.Option("--api-key", envvar="MAAS_API_KEY", show_envvar=True, help="Sent as x-api-key."),
]
Reference = Annotated[str, typer.Argument(metavar="MODEL[@VERSION]", help="The version is a number or an alias.")]


def app(arguments: list[str] | None = None) -> None:
    """Run a command line: a failure is one line on standard error and exit code 1, wrong usage exit code 2."""
    try:
        commands(arguments)
    except MaasError as error:
        _fail(str(error))
    except BrokenPipeError:  # `maas models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("MAAS_DEBUG"):
            raise
        _fail(f"unexpected {type(error).__name__}: {error} (a traceback: MAAS_DEBUG=1)")


def _fail(message: str) -> None:
    sys.stderr.write(f"maas: {' '.join(message.split())}\n")
    sys.exit(1)


@commands.command()
def local(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the functions log.")] = False,
) -> None:
    """Run the whole system on this machine, from template.yaml, until Ctrl-C."""
    try:
        from maas_client.local.stack import serve
    except ImportError as error:
        raise InvalidInput(f"the local stack needs `{error.name}`: run it from a checkout, after `make dev`") from error
    serve(port=port, host=host, verbose=verbose)


@commands.command()
def push(
    path: Annotated[Path, typer.Argument(help="An .onnx file, or a folder with one and its external data.")],
    name: Annotated[str, typer.Option("--name", "-n", help="The model it becomes a version of.")],
    alias: Annotated[str | None, typer.Option("--alias", "-a", help="Point this alias at it once it is READY.")] = None,
    description: Annotated[str, typer.Option("--description", help="What is new in this version.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="May be repeated.")] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Upload a model, have it checked, and put it behind an endpoint."""
    from maas_client.progress import PushDisplay
    from maas_client.render import show_pushed

    tags = dict(_tag(one) for one in tag or [])
    with _client(url, api_key) as maas:
        with PushDisplay(silent=as_json) as display:
            version = maas.push(path, name, alias=alias, description=description, tags=tags, progress=display.show)
        _print_json(version) if as_json else show_pushed(version, maas.url, alias, key=bool(api_key))


@commands.command()
def models(as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """List the models."""
    from maas_client.render import show_models

    with _client(url, api_key) as maas:
        found = maas.models()
    _print_json({"models": found}) if as_json else show_models(found)


@commands.command()
def show(reference: Reference, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Show a model with its newest versions, or one version with its signature."""
    from maas_client.render import show_model, show_version

    model, version = _split(reference)
    with _client(url, api_key) as maas:
        if version is None:
            registered, versions = maas.model(model), maas.versions(model, limit=20)
            _print_json({"model": registered, "versions": versions}) if as_json else show_model(registered, versions)
        else:
            number = int(version) if version.isdigit() else maas.alias(model, version).version
            one = maas.version(model, number)
            _print_json(one) if as_json else show_version(one)


@commands.command()
def predict(
    reference: Reference,
    source: Annotated[
        str,
        typer.Option("--input", "-i", metavar="FILE", help="JSON, CSV, NPY or NPZ; - is JSON on stdin."),
    ],
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Run a model on a file's records.

    JSON: an Open Inference Protocol request, an object of inputs by name, or the array of a model's only input.
    CSV: columns named as the inputs are, or else all columns in order make the one two-dimensional input.
    """
    from maas_client.inputs import request_from
    from maas_client.render import show_prediction
    from maas_client.tensors import decode_response

    model, version = _split(reference)
    with _client(url, api_key) as maas:
        request = request_from(source, lambda: maas.metadata(model, version).inputs)
        answer = maas.infer_json(model, request, version)
    _print_json(answer) if as_json else show_prediction(decode_response(answer))


@commands.command()
def alias(
    model: Annotated[str, typer.Argument()],
    alias: Annotated[str, typer.Argument()],
    version: Annotated[int, typer.Argument(min=1, help="A READY version's number.")],
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Point an alias at a version."""
    with _client(url, api_key) as maas:
        made = maas.set_alias(model, alias, version)
    if as_json:
        _print_json(made)
    else:
        typer.echo(f"{made.model}@{made.alias} is version {made.version}")


@contextmanager
def _client(url: str | None, api_key: str | None) -> Iterator["MaasClient"]:
    from maas_client.client import MaasClient

    with MaasClient(url, api_key) as maas:
        yield maas


def _split(reference: str) -> tuple[str, str | None]:
    model, at, version = reference.partition("@")
    if not model or (at and not version):
        raise typer.BadParameter(f"{reference!r}: expected MODEL or MODEL@VERSION, as in digits@production or digits@2")
    return model, version or None


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise typer.BadParameter(f"--tag {text!r}: expected KEY=VALUE, as in --tag team=vision")
    return key, value


def _print_json(value: Any) -> None:
    from dataclasses import asdict

    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=asdict))
