"""Commands for many records, and for answers that come later: batch, jobs, and what becomes of a job."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maas_client.cli.options import Json, Key, Limit, Reference, Url, connect, print_json, split
from maas_client.errors import CannotConnect, JobFailed, MaasError

if TYPE_CHECKING:
    from maas_client.cli.progress import Display
    from maas_client.client import MaasClient
    from maas_client.job_records import Job

SHOWN = 20
INTERRUPTED = 130  # as a shell has it after Ctrl-C


def complete_job(incomplete: str) -> list[str]:
    """The newest jobs that begin so. Nothing when nobody answers."""
    with suppress(MaasError), connect(None, None, attempts=1) as maas:
        return [found.id for found in maas.jobs(100) if found.id.startswith(incomplete)]
    return []


JobId = Annotated[str, typer.Argument(metavar="ID", autocompletion=complete_job)]
To = Annotated[
    Path | None,
    typer.Option("--to", help="The file, or a folder for it; ID.FORMAT if not given."),
]
Parts = Annotated[bool, typer.Option("--parts", help="Do not join the parts; --to is a folder for them.")]

job = typer.Typer(name="job", help="Follow, cancel or retry a job, and get what came of it.", no_args_is_help=True)


def batch(
    reference: Reference,
    source: Annotated[str, typer.Argument(metavar="FILE", help="JSONL, CSV (also .gz), NPY, Parquet; or s3://….")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file here, or a folder s3://… of the bucket.")
    ] = None,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="Until it has ended; on a terminal if not given.")
    ] = None,
    join: Annotated[
        str | None, typer.Option("--join", metavar="input", help="Carry the input's columns along.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="A feature of CSV or Parquet, in order; may be repeated.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", help="A column that is no feature.")] = None,
    select: Annotated[list[str] | None, typer.Option("--select", help="Only this output; may be repeated.")] = None,
    max_errors: Annotated[int | None, typer.Option("--max-errors", min=0, help="More bad records end it.")] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1, help="How many records run at once.")] = None,
    notify: Annotated[str | None, typer.Option("--notify", help="An https URL or an SNS topic to tell.")] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Predict every record of a file: upload, wait, download. The file's format is the predictions'."""
    from maas_client.cli.progress import Display

    if join not in (None, "input"):
        raise typer.BadParameter(f"--join: got {join!r}, expected 'input'")
    model, version = split(reference)
    to = _target(source, output)
    if wait is None:
        wait = sys.stdout.isatty() or (output is not None and to is not None)
    elif not wait and output and to:
        raise typer.BadParameter("--output names a file here, which takes --wait")
    with connect(url, api_key) as maas, Display(silent=as_json) as display:
        made = maas.batch(
            model,
            source,
            version,
            output=output if to is None else None,
            columns=column,
            exclude=exclude,
            join="input" if join else None,
            select=select,
            max_errors=max_errors,
            batch_size=batch_size,
            notify=notify,
            progress=display.show,
        )
        if wait:
            _follow(maas, made.id, to, display, as_json=as_json)
    if not wait:
        print_json(made) if as_json else typer.echo(
            f"job {made.id} is {made.status}: `maas job wait {made.id}` follows it"
        )


def jobs(
    job_id: Annotated[str | None, typer.Argument(metavar="[ID]", autocompletion=complete_job)] = None,
    limit: Limit = SHOWN,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """List the jobs, newest first, or show one with its progress."""
    from maas_client.cli.render_jobs import show_job, show_jobs

    with connect(url, api_key) as maas:
        if job_id:
            found = maas.job(job_id)
            print_json(found) if as_json else show_job(found)
        else:
            listed = maas.jobs(limit)
            print_json({"jobs": listed}) if as_json else show_jobs(listed)


@job.command("wait")
def wait_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Follow a job until it has ended."""
    from maas_client.cli.progress import Display

    with connect(url, api_key) as maas, Display(silent=as_json) as display:
        _follow(maas, job_id, None, display, as_json=as_json)


@job.command("cancel")
def cancel_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """End a job; what is done stays."""
    with connect(url, api_key) as maas:
        found = maas.cancel_job(job_id)
    print_json(found) if as_json else typer.echo(f"job {found.id} is {found.status}")


@job.command("retry")
def retry_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Run what is missing of a job that FAILED."""
    with connect(url, api_key) as maas:
        found = maas.retry_job(job_id)
    print_json(found) if as_json else typer.echo(
        f"job {found.id} is {found.status}: `maas job wait {found.id}` follows it"
    )


@job.command("download")
def download_job(
    job_id: JobId, to: To = None, parts: Parts = False, as_json: Json = False, url: Url = None, api_key: Key = None
) -> None:
    """Get a job's predictions, in one file; of one that runs or FAILED, those there are."""
    from maas_client.cli.progress import Display

    with connect(url, api_key) as maas, Display(silent=as_json) as display:
        target = to or Path(job_id if parts else ".")
        paths = maas.download_results(job_id, target, join=not parts, progress=display.show)
    print_json([str(path) for path in paths]) if as_json else typer.echo("\n".join(str(path) for path in paths))


@job.command("answer")
def answer_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """The answer to `maas predict --later`, waited for."""
    from maas_client.cli.progress import spinner
    from maas_client.cli.render import show_prediction
    from maas_client.inference import response_json

    with connect(url, api_key) as maas, spinner("waiting for the answer", silent=as_json), _going_on(job_id):
        response = maas.deferred_response(job_id)
    print_json(response_json(response)) if as_json else show_prediction(response)


def _target(source: str, output: str | None) -> Path | None:
    """The file that the predictions go into; None where they stay in the bucket. Raises InvalidInput."""
    from maas_client.results import check_target, format_of

    format_ = format_of(source)
    if output is None:
        if source.startswith("s3://"):
            return None
        name = Path(source).name
        return Path(f"{name[: name.lower().rindex(format_)]}.predictions{format_}")
    if output.startswith("s3://"):
        return None
    check_target(Path(output), format_)
    return Path(output)


def _follow(maas: "MaasClient", job_id: str, to: Path | None, display: "Display", *, as_json: bool) -> None:
    """Wait, download to `to`, and tell what came of it. A job that did not succeed is told of too, and then raised."""
    from maas_client.cli.render_jobs import show_ended

    failure: JobFailed | None = None
    files: list[Path] = []
    with _going_on(job_id):
        try:
            ended = maas.wait_job(job_id, progress=display.show)
        except JobFailed as error:
            ended, failure = error.job, error
    if to is not None and failure is None:
        files = maas.download_results(ended, to, progress=display.show)
    display.stop()
    if as_json:
        print_json(_told(ended, files))
    else:
        show_ended(ended, files)
    if failure:
        raise failure


def _told(ended: "Job", files: list[Path]) -> dict[str, Any]:
    return {"job": ended, "files": [str(path) for path in files]}


@contextmanager
def _going_on(job_id: str) -> Iterator[None]:
    """Ctrl-C, or a network that is gone, ends the waiting and not the job."""
    hint = f"job {job_id} goes on: `maas job wait {job_id}` follows it, `maas job cancel {job_id}` ends it"
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"\nmaas: {hint}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except CannotConnect:
        typer.echo(f"maas: {hint}", err=True)
        raise


COMMANDS = (batch, jobs)
