"""Commands that other packages plug in as entry points of the group `maas.commands`: those of `maas-local`."""

from collections.abc import Callable
from importlib.metadata import entry_points

import typer

from maas_client.errors import InvalidInput

GROUP = "maas.commands"


def add(group: typer.Typer, name: str, entry_point: str = "") -> None:
    """Add the command to the group; where `maas-local` is not installed, one that says how to get it."""
    found = next(iter(entry_points(group=GROUP, name=entry_point or name)), None)
    command: Callable[..., None] = found.load() if found else _absent(name)
    group.command(name)(command)


def _absent(name: str) -> Callable[[], None]:
    def absent() -> None:
        raise InvalidInput(f"`{name}` comes with the package maas-local: run `make dev` in a checkout of MaaS")

    absent.__doc__ = "Not installed: comes with the package maas-local (`make dev` in a checkout of MaaS)."
    return absent
