"""Commands that put models to use: push and predict."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Reference, Tags, Url, connect, split, tag_of
from maas_client.cli.output import echo, print_json
from maas_client.cli.texts import not_negative, positive
from maas_client.errors import InvalidInput

if TYPE_CHECKING:
    from maas_client import MaasClient
    from maas_client.cli.inputs import Given

SHOWN_NAMES = 6


class SmokeRun(StrEnum):
    required = "required"
    optional = "optional"


class Large(StrEnum):
    refuse = "refuse"
    later = "later"


def push(
    path: Annotated[Path, typer.Argument(help="An .onnx file, or a folder with one and its external data files.")],
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
    from maas_client.cli.render import show_pushed

    if quantize_tolerance is not None and quantize is None:
        raise typer.BadParameter("--quantize-tolerance needs --quantize")
    tags = dict(tag_of(one) for one in tag or [])
    _tell_left_out(path)
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


def _tell_left_out(path: Path) -> None:
    from maas_client.version_files import version_files

    if left_out := version_files(path).left_out:
        more = f" and {len(left_out) - SHOWN_NAMES} more" if len(left_out) > SHOWN_NAMES else ""
        names = ", ".join(left_out[:SHOWN_NAMES]) + more
        echo(f"maas: left out, as the model does not name them: {names}", err=True)


def predict(
    reference: Reference,
    source: Annotated[
        str,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="A JSON, CSV, NPY or NPZ file; - reads JSON, NPY or NPZ from standard input.",
        ),
    ],
    output: Annotated[
        list[str] | None, typer.Option("--output", "-o", metavar="NAME", help="Only this output; repeatable.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option("--variant", metavar="NAME", help="Another form of the version, such as dynamic-int8.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", parser=positive, help="Limit for the whole call; the server stops then too."
        ),
    ] = None,
    later: Annotated[
        bool, typer.Option("--later", help="Answer later, through `maas job answer ID`: for large or slow requests.")
    ] = False,
    large: Annotated[
        Large,
        typer.Option("--large", help="later: what is too large for a call is sent as with --later, and waited for."),
    ] = Large.refuse,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Run a model on a file's records.

    JSON: an Open Inference Protocol request, an object of inputs by name, or the array of a model's only input.
    CSV: columns named like the inputs; otherwise all columns, in order, form the only two-dimensional input.
    """
    from maas_client.cli.inputs import read
    from maas_client.cli.render_prediction import show_prediction
    from maas_client.protocol.responses import response_json, response_of

    model, version = split(reference)
    with connect(url, api_key, timeout_seconds=timeout) as maas:
        given = read(source, lambda: maas.metadata(model, version).inputs)
        if later:
            _ask_later(maas, source, given, model, version, output, as_json=as_json)
            return
        if given.request is not None:
            if output or variant:
                raise InvalidInput(f"{source} is a whole request: name its outputs and its variant there")
            answer = maas.infer_json(model, given.request, version)
            response = response_of(answer)
        else:
            response = maas.infer_response(model, given.inputs, version, output, variant=variant, large=large.value)
            answer = response_json(response)
        if as_json:
            print_json(answer)
        else:
            declared = maas.metadata(model, response.model_version).outputs
            show_prediction(response, declared, given.records)


def _ask_later(
    maas: "MaasClient",
    source: str,
    given: "Given",
    model: str,
    version: str | None,
    outputs: list[str] | None,
    *,
    as_json: bool,
) -> None:
    if given.request is not None:
        raise InvalidInput(f"{source} is a whole request: --later takes inputs by name, or an array")
    job = maas.infer_later(model, given.inputs, version, outputs)
    print_json(job) if as_json else echo(
        f"job {job.id} is {job.status}: get its answer with `maas job answer {job.id}`"
    )


COMMANDS = (push, predict)
