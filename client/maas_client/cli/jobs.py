"""Commands for batch predictions and deferred answers: batch, jobs, job."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import Json, Key, Limit, Reference, Url, connect, split
from maas_client.cli.output import echo, echo_all, fields, harmless, print_json
from maas_client.cli.texts import comparison, whole
from maas_client.errors import CannotConnect, JobFailed, MaasError

if TYPE_CHECKING:
    from maas_client import MaasClient
    from maas_client.cli.progress import Display

SHOWN = 20
INTERRUPTED = 130  # a shell's exit code after Ctrl-C


def complete_job(incomplete: str) -> list[str]:
    """Ids of the newest jobs with this prefix; nothing if the server does not answer."""
    with suppress(MaasError), connect(None, None, attempts=1) as maas:
        return harmless([found.id for found in maas.jobs.list(100) if found.id.startswith(incomplete)])
    return []


JobId = Annotated[str, typer.Argument(metavar="ID", autocompletion=complete_job)]
To = Annotated[
    Path | None,
    typer.Option("--to", help="Target file or folder; default: ID.FORMAT here."),
]
Parts = Annotated[bool, typer.Option("--parts", help="Keep the parts as separate files; --to is their folder.")]

job = typer.Typer(name="job", help="Follow, cancel or retry a job, and download its results.", no_args_is_help=True)


def batch(
    reference: Reference,
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A JSONL, CSV (also .gz), NPY or Parquet file, or an s3:// object of the bucket."
        ),
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A local file or folder, or an s3:// folder of the bucket.")
    ] = None,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="Wait until the job ends; default: only on a terminal.")
    ] = None,
    join: Annotated[
        str | None, typer.Option("--join", metavar="input", help="Copy the input's columns into the output.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="A feature column of CSV or Parquet, in order; repeatable.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="A column that is not a feature; repeatable.")
    ] = None,
    select: Annotated[list[str] | None, typer.Option("--select", help="Write only this output; repeatable.")] = None,
    max_errors: Annotated[
        int | None,
        typer.Option("--max-errors", metavar="N", parser=whole(0), help="Fail the job after this many bad records."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", metavar="N", parser=whole(1), help="Records per model run.")
    ] = None,
    notify: Annotated[
        str | None, typer.Option("--notify", help="An https URL or SNS topic ARN to notify at the end.")
    ] = None,
    shadow: Annotated[
        int | None,
        typer.Option("--shadow", metavar="VERSION", parser=whole(1), help="Run this version on the records too."),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="RTOL,ATOL|top1|none",
            parser=comparison,
            help="How the shadow's outputs are compared; default: 0.001,0.00001.",
        ),
    ] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Predict every record of a file: upload, wait, download. Predictions have the format of the input."""
    from maas_client.cli.progress import Display

    if join not in (None, "input"):
        raise typer.BadParameter(f"--join: got {join!r}, expected 'input'")
    if compare is not None and shadow is None:
        raise typer.BadParameter("got --compare, expected --shadow beside it")
    copied = None if shadow is None else {"version": shadow} | ({} if compare is None else {"compare": compare})
    model, version = split(reference)
    to = _target(source, output)
    if wait is None:
        wait = sys.stdout.isatty() or (output is not None and to is not None)
    elif not wait and output and to:
        raise typer.BadParameter("--output names a local file, which needs --wait")
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
            shadow=copied,
            progress=display.show,
        )
        if wait:
            _follow(maas, made.id, to, display, as_json=as_json)
    if not wait:
        print_json(made) if as_json else echo(f"job {made.id} is {made.status}: `maas job wait {made.id}` follows it")


def jobs(
    job_id: Annotated[str | None, typer.Argument(metavar="[ID]", autocompletion=complete_job)] = None,
    limit: Limit = SHOWN,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """List jobs, newest first, or show one job with its progress."""
    from maas_client.cli.render.jobs import show_job, show_jobs

    with connect(url, api_key) as maas:
        if job_id:
            found = maas.jobs.get(job_id)
            print_json(found) if as_json else show_job(found)
        else:
            listed = maas.jobs.list(limit)
            print_json({"jobs": listed}) if as_json else show_jobs(listed)


@job.command("wait")
def wait_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Follow a job until it ends."""
    from maas_client.cli.progress import Display

    with connect(url, api_key) as maas, Display(silent=as_json) as display:
        _follow(maas, job_id, None, display, as_json=as_json)


@job.command("cancel")
def cancel_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Cancel a job; finished parts stay."""
    with connect(url, api_key) as maas:
        found = maas.jobs.cancel(job_id)
    print_json(found) if as_json else echo(f"job {found.id} is {found.status}")


@job.command("retry")
def retry_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Run the unfinished shards of a FAILED job again."""
    with connect(url, api_key) as maas:
        found = maas.jobs.retry(job_id)
    print_json(found) if as_json else echo(f"job {found.id} is {found.status}: `maas job wait {found.id}` follows it")


@job.command("download")
def download_job(
    job_id: JobId, to: To = None, parts: Parts = False, as_json: Json = False, url: Url = None, api_key: Key = None
) -> None:
    """Download a job's predictions as one file; of a running or FAILED job, the finished parts."""
    from maas_client.cli.progress import Display

    with connect(url, api_key) as maas, Display(silent=as_json) as display:
        target = to or Path(job_id if parts else ".")
        found = maas.jobs.get(job_id)
        paths = maas.jobs.download(job_id, target, join=not parts, progress=display.show)
    done, total = (found.progress.shards_done, found.progress.shards_total) if found.progress else (0, 0)
    if done < total:
        echo(f"maas: job {job_id} is {found.status}: only {done} of its {total} shards are here", err=True)
    print_json({"paths": list(map(str, paths))}) if as_json else echo_all(paths)


@job.command("answer")
def answer_job(job_id: JobId, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Wait for the answer to `maas predict --later` and print it."""
    from maas_client.cli.progress import spinner
    from maas_client.cli.render.prediction import show_prediction
    from maas_client.protocol.responses import response_json

    with connect(url, api_key) as maas, spinner("waiting for the answer", silent=as_json), _going_on(job_id):
        response = maas.jobs.answer_response(job_id)
        declared = () if as_json else maas.metadata(response.model_name, response.model_version).outputs
    print_json(response_json(response)) if as_json else show_prediction(response, declared)


def _target(source: str, output: str | None) -> Path | None:
    """The local file for the predictions; None if they stay in the bucket. Raises InvalidInput."""
    from maas_client.results import FORMATS, check_target, format_of

    format_ = format_of(source)
    if (output or source).startswith("s3://"):
        return None
    name = Path(source).name
    default = f"{name[: name.lower().rindex(format_)]}.predictions{format_}"
    to = Path(output or default)
    if output and (output.endswith("/") or (to.is_dir() and to.suffix.lower() not in FORMATS)):
        to /= default
    check_target(to, format_)
    return to


def _follow(maas: "MaasClient", job_id: str, to: Path | None, display: "Display", *, as_json: bool) -> None:
    """Wait, download to `to` and show the result. Raises JobFailed after showing a job that did not succeed."""
    from maas_client.cli.render.jobs import show_ended

    failure: JobFailed | None = None
    files: list[Path] = []
    with _going_on(job_id):
        try:
            ended = maas.jobs.wait(job_id, progress=display.show)
        except JobFailed as error:
            ended, failure = error.job, error
    if to is not None and failure is None:
        files = maas.jobs.download(ended, to, progress=display.show)
    display.stop()
    if as_json:
        print_json(fields(ended) | ({"paths": list(map(str, files))} if to else {}))
    else:
        show_ended(ended, files)
    if failure:
        raise failure


@contextmanager
def _going_on(job_id: str) -> Iterator[None]:
    """Ctrl-C or a lost connection stops waiting; the job continues."""
    hint = f"job {job_id} continues: `maas job wait {job_id}` follows it, `maas job cancel {job_id}` cancels it"
    try:
        yield
    except KeyboardInterrupt:
        echo(f"maas: {hint}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except CannotConnect:
        echo(f"maas: {hint}", err=True)
        raise


COMMANDS = (batch, jobs)
