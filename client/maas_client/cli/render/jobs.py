"""Jobs as tables on standard output."""

from collections.abc import Sequence
from pathlib import Path

from maas_client.cli.looks import ago, dollars, facts, row, say, show, spaced, styled, table_of
from maas_client.cli.progress import told_of
from maas_client.cli.render.stats import compared
from maas_client.reading import instant
from maas_client.records.jobs import Job


def show_jobs(jobs: Sequence[Job]) -> None:
    if not jobs:
        say("No jobs yet. ", ("maas batch MODEL FILE", "bold"), " creates one.")
        return
    table = table_of("job", "kind", "model", "status", "created", "by", "input")
    for job in jobs:
        row(
            table,
            (job.id, "bold"),
            job.kind,
            f"{job.model}@{job.version}",
            styled(job.status),
            ago(job.created_at),
            job.actor,
            job.reason or job.input,
        )
    show(table)


def show_job(job: Job) -> None:
    say(spaced((job.id, "bold"), styled(job.status), told_of(job)))
    if job.reason:
        say(job.reason)
    table = facts()
    found = {
        "model": f"{job.model}@{job.version}",
        "kind": job.kind,
        "input": job.input,
        "output": job.output,
        "options": " ".join(f"{name}={value}" for name, value in job.options.items()),
        "notifies": job.notify or "",
        "shadow": _shadow(job),
        "cost": f"{dollars(job.progress.usd)} of Lambda" if job.progress and job.progress.usd else "",
        "created": f"{ago(job.created_at)} by {job.actor}",
        "changed": ago(job.updated_at),
    }
    for name, value in found.items():
        if value:
            row(table, (name, "dim"), value)
    show(table)


def show_ended(job: Job, files: Sequence[Path]) -> None:
    """A finished job, and where its results are."""
    table = table_of("job", "status", "rows", "errors", "seconds", "where")
    found = job.progress
    row(
        table,
        (job.id, "bold"),
        styled(job.status),
        f"{found.rows:,}" if found else "0",
        f"{found.errors:,}" if found else "0",
        f"{seconds_of(job):.1f}",
        " ".join(map(str, files)) or f"{job.output} in the bucket",
    )
    show(table)
    if shadow := _shadow(job):
        say(shadow)


def _shadow(job: Job) -> str:
    """'version 2 as a shadow: 3 compared, 1 (33.3%) differ, by 0.5 at most; 0 failed'."""
    if job.shadow is None:
        return ""
    name, found = f"version {job.shadow['version']} as a shadow", job.progress and job.progress.shadow
    if not found:
        return name
    reason = f", as in: {found.reason}" if found.reason else ""
    return f"{name}: {compared(found)}; {found.failed:,} failed{reason}"


def seconds_of(job: Job) -> float:
    """Seconds from the job's start to its last change."""
    return (instant(job.updated_at) - instant(job.started_at or job.created_at)).total_seconds()
