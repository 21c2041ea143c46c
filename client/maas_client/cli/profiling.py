"""The command `profile`: what a version needs at the shapes that its callers send."""

from typing import Annotated

import typer

from maas_client.cli.options import Json, Key, Reference, Url, connect, split
from maas_client.cli.output import print_json
from maas_client.cli.texts import sizes, whole


def profile(
    reference: Reference,
    shape: Annotated[
        list[str],
        typer.Option(
            "--shape", metavar="NAME=1x3x640x640", help="The shape of an input; NAME= for a scalar; repeatable."
        ),
    ],
    runs: Annotated[
        int | None, typer.Option("--runs", metavar="N", parser=whole(1), help="Runs to take the median of; default: 5.")
    ] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Measure a version at these shapes, on generated inputs: time, memory and cost of a request of this size."""
    from maas_client.cli.looks import say, show
    from maas_client.cli.measured import shape_profile

    model, version = split(reference)
    shapes = dict(sizes(one) for one in shape)
    with connect(url, api_key) as maas:
        measured = maas.versions.profile(model, version, shapes, runs=runs)
    if as_json:
        print_json(measured)
        return
    say((f"{measured.model_name}@{measured.model_version}", "bold"))
    show(shape_profile(measured))


COMMANDS = (profile,)
