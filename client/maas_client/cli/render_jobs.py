"""Jobs as tables on standard output."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from maas_client.cli.looks import ago, console, styled, table_of
from maas_client.cli.progress import told_of
from maas_client.job_records import Job


def show_jobs(jobs: Sequence[Job]) -> None:
    if not jobs:
        console.print("No jobs yet. [bold]maas batch MODEL FILE[/] creates one.")
        return
    table = table_of("job", "kind", "model", "status", "created", "by", "input")
    for job in jobs:
        table.add_row(
            f"[bold]{job.id}[/]",
            job.kind,
            f"{escape(job.model)}@{job.version}",
            styled(job.status),
            ago(job.created_at),
            escape(job.actor),
            escape(job.reason or job.input),
        )
    console.print(table)


def show_job(job: Job) -> None:
    console.print(f"[bold]{job.id}[/]  {styled(job.status)}  {told_of(job)}".rstrip())
    if job.reason:
        console.print(job.reason, markup=False)
    table = Table(box=None, show_header=False)
    told = {
        "model": f"{job.model}@{job.version}",
        "kind": job.kind,
        "input": job.input,
        "output": job.output,
        "options": " ".join(f"{name}={value}" for name, value in job.options.items()),
        "notifies": job.notify or "",
        "created": f"{ago(job.created_at)} by {job.actor}",
        "changed": ago(job.updated_at),
    }
    for name, value in told.items():
        if value:
            table.add_row(f"[dim]{name}[/]", escape(value))
    console.print(table)


def show_ended(job: Job, files: Sequence[Path]) -> None:
    """A finished job and where its results are."""
    table = table_of("job", "status", "rows", "errors", "seconds", "where")
    found = job.progress
    table.add_row(
        f"[bold]{job.id}[/]",
        styled(job.status),
        f"{found.rows:,}" if found else "0",
        f"{found.errors:,}" if found else "0",
        f"{seconds_of(job):.1f}",
        escape("\n".join(str(path) for path in files) or f"{job.output} in the bucket"),
    )
    console.print(table)


def seconds_of(job: Job) -> float:
    """Seconds from the job's start to its last change."""
    began = datetime.fromisoformat(job.started_at or job.created_at)
    return (datetime.fromisoformat(job.updated_at) - began).total_seconds()
