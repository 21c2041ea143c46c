"""Serve a classifier, release a better one, and check every answer. Exit code 0 if all are right."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from maas_client.cli.output import echo
from maas_client.errors import MaasError

FOLDER = Path("build/demo")
console = Console(highlight=False)


def main() -> int:
    console.print("\n[bold]MaaS[/], Model as a Service: two models, one endpoint, one release.\n")
    try:
        with step("Imported scikit-learn, skl2onnx and the local stack"):
            from maas_local.demo.story import tell
    except ImportError as error:
        echo(f"maas: the demo needs `{error.name}`: run `make dev` in a checkout, then `make demo`", err=True)
        return 1
    try:
        return 0 if tell(console, step, FOLDER) else 1
    except MaasError as error:
        echo(f"maas: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        return 130


@contextmanager
def step(title: str) -> Iterator[None]:
    """A spinner while the block runs, then a line with its duration."""
    start = time.perf_counter()
    with console.status(f"[dim]{title} …"):
        yield
    console.print(f"[green]✓[/] {title}  [dim]{time.perf_counter() - start:.1f} s[/]")


if __name__ == "__main__":
    sys.exit(main())
