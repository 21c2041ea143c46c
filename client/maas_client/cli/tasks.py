"""Commands for versions with a task: embed and rerank."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maas_client.cli.options import Json, Key, Reference, Url, connect, split
from maas_client.cli.output import print_json
from maas_client.cli.texts import STDIN, lines_of, positive, whole

Variant = Annotated[
    str | None, typer.Option("--variant", metavar="NAME", help="Another form of the version, such as dynamic-int8.")
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", parser=positive, help="Limit for each call; the server stops too."),
]


def embed(
    reference: Reference,
    text: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts; or use --input.")] = None,
    source: Annotated[
        str | None,
        typer.Option("--input", "-i", metavar="FILE", help="A file with a text a line; - is standard input."),
    ] = None,
    image: Annotated[
        list[Path] | None, typer.Option("--image", metavar="FILE", help="A JPEG, PNG or WebP file; repeatable.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.npy", help="Write the vectors to this file.")
    ] = None,
    dimensions: Annotated[
        int | None, typer.Option("--dimensions", metavar="N", parser=whole(1), help="Keep the first N of each vector.")
    ] = None,
    truncate: Annotated[bool, typer.Option("--truncate", help="Cut texts that are too long for the model.")] = False,
    prompt: Annotated[
        str | None, typer.Option("--prompt", metavar="NAME", help="One of the model's prompts, such as query.")
    ] = None,
    variant: Variant = None,
    timeout: Timeout = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Make vectors of texts or images, and find which are near each other."""
    model, version = split(reference)
    if output is not None and output.suffix.lower() != ".npy":
        raise typer.BadParameter(f"--output: got {str(output)!r}, expected a name that ends with .npy")
    if sum(map(bool, (text, source, image))) != 1:
        raise typer.BadParameter("give one of texts, --input and --image")
    given: list[Any] = image or text or lines_of(source or STDIN)
    with connect(url, api_key) as maas:
        vectors = maas.embed(
            model,
            given,
            version,
            dimensions=dimensions,
            truncate=truncate,
            prompt_name=prompt,
            variant=variant,
            timeout_seconds=timeout,
        )
    if output is not None:
        import numpy as np

        np.save(output, vectors)
    if as_json:
        rows = [[float(str(value)) for value in vector] for vector in vectors]  # in the fewest digits of float32
        print_json({"model": model, "dimensions": vectors.shape[1], "embeddings": rows})
        return
    from maas_client.cli.render.tasks import show_vectors

    show_vectors(vectors, [str(one) for one in given])


def rerank(
    reference: Reference,
    query: Annotated[str, typer.Argument(metavar="QUERY")],
    source: Annotated[str, typer.Argument(metavar="FILE", help="A file with a text a line; - is standard input.")],
    top: Annotated[int | None, typer.Option("--top", metavar="N", parser=whole(1), help="Only the N best.")] = None,
    variant: Variant = None,
    timeout: Timeout = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Order the lines of a file by how well they answer a query, the best first."""
    from maas_client.cli.render.tasks import show_ranking

    model, version = split(reference)
    texts = lines_of(source)
    with connect(url, api_key) as maas:
        ranked = maas.rerank(model, query, texts, version, top_n=top, variant=variant, timeout_seconds=timeout)
    print_json(ranked) if as_json else show_ranking(ranked)


COMMANDS = (embed, rerank)
