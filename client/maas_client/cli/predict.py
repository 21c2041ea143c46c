"""The command `predict`."""

from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maas_client.cli.options import Json, Key, Reference, Url, connect, option_of, split
from maas_client.cli.output import echo, print_json
from maas_client.cli.texts import positive
from maas_client.errors import InvalidInput, MaasError

if TYPE_CHECKING:
    from maas_client import InferenceResponse, MaasClient, MetadataTensor
    from maas_client.cli.inputs import Given


class Large(StrEnum):
    refuse = "refuse"
    later = "later"


def predict(
    reference: Reference,
    source: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="A JSON, CSV, NPY, NPZ or text file; - reads JSON, NPY or NPZ from standard input.",
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", help="A text; repeatable; - reads standard input, a text a line."),
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option("--image", metavar="FILE", help="A JPEG, PNG or WebP file; repeatable.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Of the model's task: top_k=3; repeatable."),
    ] = None,
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
    """Run a model on a file's records, on texts or on images.

    JSON: an Open Inference Protocol request, an object of inputs by name, or the array of a model's only input.
    CSV: columns named like the inputs; otherwise all columns, in order, form the only two-dimensional input.
    Text: a text a line, for a model whose only input takes texts.
    """
    from maas_client.cli.inputs import read, read_images, read_texts
    from maas_client.protocol.responses import response_json, response_of
    from maas_client.task_inputs import IMAGE, TEXT

    if (source is not None) + bool(text) + bool(image) != 1:
        raise typer.BadParameter("give one of --input, --text and --image")
    model, version = split(reference)
    parameters = dict(option_of(one) for one in option or [])
    with connect(url, api_key, timeout_seconds=timeout) as maas:

        def signature() -> "tuple[MetadataTensor, ...]":
            return maas.metadata(model, version).inputs

        if text or image:
            _check_takes(maas, model, version, TEXT if text else IMAGE)
        given = (
            read_texts(text, signature)
            if text
            else read_images(image, signature)
            if image
            else read(source or "", signature)
        )
        if later:
            _ask_later(maas, source, given, model, version, output, variant, parameters, as_json=as_json)
            return
        if given.request is not None:
            if output or variant or parameters:
                raise InvalidInput(f"{source} is a whole request: name its outputs, variant and options there")
            answer = maas.infer_json(model, given.request, version)
            response = response_of(answer)
        else:
            response = maas.infer_response(
                model, given.inputs, version, output, variant=variant, parameters=parameters, large=large.value
            )
            answer = response_json(response)
        print_json(answer) if as_json else _show(maas, response, given, [*map(str, image or [])])


def _check_takes(maas: "MaasClient", model: str, version: str | None, kind: str) -> None:
    """Raises InvalidInput unless the model's only input takes texts or images, whichever `kind` says."""
    from maas_client.protocol.fitting import shown
    from maas_client.task_inputs import IMAGE, TEXT

    found = maas.metadata(model, version)
    required = [tensor for tensor in found.inputs if not tensor.is_optional]
    if len(required) != 1 or required[0].datatype != "BYTES" or {required[0].name, kind} == {TEXT, IMAGE}:
        has = ""
        with suppress(MaasError):  # a key that may only infer
            task = maas.versions.get(model, int(found.versions[0])).task
            has = f" has the task {task.name} and" if task else " has no task and"
        raise InvalidInput(f"--{kind}: the model{has} takes {shown(required)}, no {kind} alone")


def _show(maas: "MaasClient", response: "InferenceResponse", given: "Given", images: list[str]) -> None:
    """A table of its task's, if the outputs are those of one; `images` are the files sent."""
    from maas_client.cli.render.prediction import show_prediction
    from maas_client.cli.render.tasks import show_task_answer

    items = images or given.texts
    if items and show_task_answer(response, items, lambda: _labels(maas, response)):
        return
    show_prediction(response, maas.metadata(response.model_name, response.model_version).outputs, given.records)


def _labels(maas: "MaasClient", response: "InferenceResponse") -> list[str]:
    """The model's classes; none for a key that may only infer."""
    with suppress(MaasError):
        task = maas.versions.get(response.model_name, int(response.model_version)).task
        labels = task.parameters.get("labels") if task else None
        return [*map(str, labels)] if isinstance(labels, list) else []
    return []


def _ask_later(
    maas: "MaasClient",
    source: str | None,
    given: "Given",
    model: str,
    version: str | None,
    outputs: list[str] | None,
    variant: str | None,
    parameters: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    if given.request is not None:
        raise InvalidInput(
            f'{source} is a whole request: --later takes inputs by name, as {{"x": [[1, 2]]}}, or an array'
        )
    job = maas.infer_later(model, given.inputs, version, outputs, variant=variant, parameters=parameters)
    print_json(job) if as_json else echo(
        f"job {job.id} is {job.status}: get its answer with `maas job answer {job.id}`"
    )


COMMANDS = (predict,)
