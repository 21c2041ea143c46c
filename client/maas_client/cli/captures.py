"""Commands of captured requests: capture ls, capture get, and replay."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Url, complete, connect, numbered
from maas_client.cli.output import echo, print_json
from maas_client.cli.texts import not_negative, time

if TYPE_CHECKING:
    from maas_client import MaasClient
    from maas_client.records.captures import Line, ReplayReport

_WHEN = "as in 2026-01-31 or 2026-01-31T09:30:00Z; local time unless it has an offset"
Numbered = Annotated[str, typer.Argument(metavar="MODEL@NUMBER", autocompletion=complete)]
Since = Annotated[
    datetime | None,
    typer.Option("--from", metavar="TIME", parser=time, help=f"Answered since then, {_WHEN}; default: a day before."),
]
Until = Annotated[
    datetime | None, typer.Option("--to", metavar="TIME", parser=time, help="Answered before then; default: now.")
]
DIFFERED = 1
RTOL, ATOL = 1e-3, 1e-5  # as of golden vectors

capture = typer.Typer(
    name="capture", help="Requests that an alias has captured, by the version that answered.", no_args_is_help=True
)


@capture.command("ls")
def list_files(
    reference: Numbered,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """List the hours that have captured requests."""
    model, version = _version(reference)
    with connect(url, api_key) as maas:
        found = maas.captures.list(model, version, start=_zoned(since), end=_zoned(until))
    if as_json:
        print_json(found)
        return
    hours: dict[str, list[int]] = {}
    for file in found:
        hours.setdefault(file.hour, []).append(file.size_bytes)
    from maas_client.cli.looks import row, show, size, table_of

    table = table_of("hour", "files", "size")
    for hour, sizes in hours.items():
        row(table, hour[:13] + ":00Z", f"{len(sizes):,}", size(sum(sizes)))
    show(table)


@capture.command("get")
def get_lines(
    reference: Numbered,
    since: Since = None,
    until: Until = None,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file; default: standard output.")
    ] = None,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Get captured requests and answers as JSON Lines, each once."""
    model, version = _version(reference)
    with connect(url, api_key) as maas:
        found = maas.captures.lines(model, version, start=_zoned(since), end=_zoned(until))
    lines = list(map(json.dumps, found))
    if to is None:
        for line in lines:
            echo(line)
        return
    to.write_text("".join(f"{line}\n" for line in lines))
    echo(f"{len(lines):,} requests are in {to}")


def replay(
    reference: Numbered,
    against: Annotated[
        str, typer.Option("--against", metavar="MODEL@NUMBER", help="The version that answers them again.")
    ],
    since: Since = None,
    until: Until = None,
    rtol: Annotated[
        float | None,
        typer.Option("--rtol", parser=not_negative, help="Allowed relative difference; default: 0.001."),
    ] = None,
    atol: Annotated[
        float | None, typer.Option("--atol", parser=not_negative, help="Allowed difference; default: 0.00001.")
    ] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Run captured requests on another version, as a batch job, and compare the answers. Exits with 1 if any differ."""
    model, version = _version(reference)
    other, number = _version(against)
    if other != model:
        raise typer.BadParameter(f"--against {against}: expected a version of {model}")
    with connect(url, api_key) as maas:
        lines = maas.captures.lines(model, version, start=_zoned(since), end=_zoned(until))
        tolerances = RTOL if rtol is None else rtol, ATOL if atol is None else atol
        found = _replayed(maas, model, version, number, lines, *tolerances)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found.mismatched:
        raise typer.Exit(DIFFERED)


def _replayed(
    maas: "MaasClient", model: str, version: int, against: int, lines: "list[Line]", rtol: float, atol: float
) -> "ReplayReport":
    from maas_client.records.captures import ReplayReport
    from maas_client.replaying import can_run, report, request_of

    runnable = [line for line in lines if can_run(line)]
    skipped = len(lines) - len(runnable)
    if not runnable:
        return ReplayReport(model=model, version=version, against=against, skipped=skipped)
    with _folder() as folder:
        source = folder / "captured.jsonl"
        source.write_text("".join(json.dumps(request_of(line)) + "\n" for line in runnable))
        job = maas.batch(model, source, against, wait=True)
        (file,) = maas.jobs.download(job, folder / "answers.jsonl")
        with file.open() as answers:
            results = map(json.loads, answers)
            found = report(model, version, against, job.id, runnable, results, rtol, atol)
    return replace(found, skipped=skipped)


@contextmanager
def _folder() -> Iterator[Path]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as name:
        yield Path(name)


def _show(found: "ReplayReport") -> None:
    from maas_client.cli.looks import row, say, show, spaced, table_of

    style = "bold red" if found.mismatched else "green"
    head = f"{found.model}: version {found.against} beside the answers of version {found.version}"
    say(spaced((head, "bold"), (f"job {found.job}" if found.job else "nothing to run", "dim")))
    share = f" ({found.mismatched / found.compared:.1%})" if found.compared else ""
    say(
        f"{found.compared:,} compared, ",
        (f"{found.mismatched:,} differ{share}", style),
        f", {found.failed:,} of them failed; {found.skipped:,} skipped; ",
        f"largest difference {found.largest_difference:.3g}",
    )
    if found.differences:
        table = table_of("request", "differs by", "reason")
        for one in found.differences:
            row(table, one.id, "" if one.largest is None else f"{one.largest:.3g}", one.reason or "")
        show(table)


def _version(reference: str) -> tuple[str, int]:
    model, version = numbered(reference)
    if version is None:
        raise typer.BadParameter(f"{reference!r}: expected MODEL@NUMBER, as in digits@2")
    return model, version


def _zoned(when: datetime | None) -> datetime | None:
    return when and when.astimezone()


COMMANDS = (replay,)
