"""The command `push`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from maas_client.cli.options import Json, Key, Tags, Url, connect, tag_of
from maas_client.cli.output import echo, print_json
from maas_client.cli.texts import not_negative

SHOWN_NAMES = 6


class SmokeRun(StrEnum):
    required = "required"
    optional = "optional"


def push(
    path: Annotated[Path, typer.Argument(help="An .onnx file, or the folder of an export with its files.")],
    name: Annotated[str, typer.Option("--name", "-n", help="The model's name; created if it does not exist.")],
    alias: Annotated[
        str | None, typer.Option("--alias", "-a", help="Point this alias to the version once it is READY.")
    ] = None,
    golden: Annotated[
        Path | None,
        typer.Option("--golden", help="A folder of golden vectors: inputs with the outputs that the model must give."),
    ] = None,
    example: Annotated[
        Path | None,
        typer.Option(
            "--example", metavar="FILE", help="Inputs that the model takes, to run and measure it with: JSON or NPZ."
        ),
    ] = None,
    smoke_run: Annotated[
        SmokeRun,
        typer.Option("--smoke-run", help="optional: READY, with a warning, also if no generated input runs."),
    ] = SmokeRun.required,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar="NAME",
            help="The task of an export, embeddings for one, if it shall not be found; none: its graph alone.",
        ),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option("--variant", metavar="NAME", help="Which of a folder's models: int8 for model_int8.onnx."),
    ] = None,
    rtol: Annotated[
        float | None,
        typer.Option("--rtol", metavar="X", parser=not_negative, help="Relative tolerance of golden vectors."),
    ] = None,
    atol: Annotated[
        float | None,
        typer.Option("--atol", metavar="X", parser=not_negative, help="Absolute tolerance of golden vectors."),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option("--quantize", metavar="SCHEME", help="Also make a quantised form: dynamic-int8."),
    ] = None,
    quantize_tolerance: Annotated[
        float | None,
        typer.Option(
            "--quantize-tolerance",
            metavar="X",
            parser=not_negative,
            help="Its largest allowed difference, relative to the largest output; default: 0.05.",
        ),
    ] = None,
    description: Annotated[str, typer.Option("--description", help="A description of this version.")] = "",
    tag: Tags = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Upload a model, check it, and serve it."""
    from maas_client.cli.examples import commands_for, pushed_source
    from maas_client.cli.progress import Display
    from maas_client.cli.render.models import show_pushed

    if quantize_tolerance is not None and quantize is None:
        raise typer.BadParameter("--quantize-tolerance needs --quantize")
    tags = dict(tag_of(one) for one in tag or [])
    _tell_left_out(path, variant)
    tolerance = {name: value for name, value in (("rtol", rtol), ("atol", atol)) if value is not None}
    with connect(url, api_key) as maas:
        with Display(silent=as_json) as display:
            version = maas.push(
                path,
                name,
                alias=alias,
                golden=golden,
                example=example,
                smoke_run=smoke_run.value,
                task=task,
                variant=variant,
                tolerance=tolerance,
                quantize=quantize,
                quantize_tolerance=quantize_tolerance,
                description=description,
                tags=tags,
                progress=display.show,
            )
        if as_json:
            print_json(version)
        else:
            source = pushed_source(version, path, golden, example)
            show_pushed(version, commands_for(version, maas.url, alias, key=bool(api_key), source=source))


def _tell_left_out(path: Path, variant: str | None) -> None:
    from maas_client.export_files import TOKENIZER, lacks_tokenizer
    from maas_client.version_files import version_files

    if left_out := version_files(path, variant=variant).left_out:
        more = f" and {len(left_out) - SHOWN_NAMES} more" if len(left_out) > SHOWN_NAMES else ""
        names = ", ".join(left_out[:SHOWN_NAMES]) + more
        echo(f"maas: left out, as the model does not name them: {names}", err=True)
    if lacks_tokenizer(path):
        echo(f"maas: without {TOKENIZER} the model takes token ids, not text: save a fast tokenizer too", err=True)


COMMANDS = (push,)
