"""Keys of batch files in the bucket."""

from pathlib import PurePosixPath

INPUT = "batch/input/"  # {model}/{version-or-alias}/{name}: an object that arrives here creates a job
DATA = "batch/data/"  # users' own files, for jobs to name
UPLOADS = "batch/jobs/"  # {job}/{name}: the uploaded input of a job; {job}/start: wakes the planner
DEFERRED = "batch/async/"  # {job}/request, {job}/response
OUTPUT = "batch/output/"  # {job}/part-…, manifest.json, _SUCCESS, or the folder that the job names
INPUTS = (INPUT, DATA, OUTPUT)  # what a job may name as its input
START, REQUEST, RESPONSE = "start", "request", "response"
MANIFEST, SUCCESS = "manifest.json", "_SUCCESS"


def job_of(key: str) -> tuple[str, str] | None:
    """Job id and file name of an object that belongs to an existing job; None for any other key."""
    parts = PurePosixPath(key).parts
    if key.startswith((UPLOADS, DEFERRED)) and len(parts) == 4 and parts[3] != RESPONSE:
        return parts[2], parts[3]
    return None


def drop_of(key: str) -> tuple[str, str] | None:
    """Model and reference in `batch/input/{model}/{version-or-alias}/{name}`; None for any other key."""
    parts = PurePosixPath(key).parts
    return (parts[2], parts[3]) if key.startswith(INPUT) and not key.endswith("/") and len(parts) == 5 else None
