"""Keeps the output folders of batch jobs apart: no two jobs write to one folder, or to nested ones.

A row of the partition OUTPUTS claims a folder, until it expires with its job.
"""

from maas.aws.dynamodb import Table
from maas.aws.writes import Put
from maas.batch.locations import OUTPUT
from maas.batch.state.job_records import BatchJob
from maas.errors import Conflict

OUTPUTS = "OUTPUTS"


def claim(job: BatchJob) -> Put:
    return Put((OUTPUTS, job.output), {"id": job.id, "expires_at": job.expires_at}, None)


def check(table: Table, job: BatchJob) -> None:
    """Raises Conflict if another job claims the folder, a folder above it or one below it."""
    if not job.output.startswith(OUTPUT) or job.output == f"{OUTPUT}{job.id}/":  # folders that only this job can have
        return
    segments = job.output.removeprefix(OUTPUT).split("/")[:-1]
    above = [OUTPUT + "/".join(segments[:depth]) + "/" for depth in range(1, len(segments))]
    below = [folder for _, folder in table.keys(OUTPUTS, job.output, limit=2)]  # may include the job's own claim
    folders = [*above, *below]
    for folder, item in zip(folders, table.get_many([(OUTPUTS, one) for one in folders]), strict=True):
        if item and item["id"] != job.id:
            raise taken(job, folder)


def taken(job: BatchJob, folder: str) -> Conflict:
    nested = "" if folder == job.output else f", and {job.output} is nested with it"
    return Conflict(f"output: another job writes to {folder}{nested}; name another folder", field="output")
