"""Where batch files are in the bucket."""

from pathlib import PurePosixPath

INPUT = "batch/input/"  # {model}/{version-or-alias}/{name}: its arrival makes a job
DATA = "batch/data/"  # the owner's own files, which jobs name
UPLOADS = "batch/jobs/"  # {job}/{name}: the file of a job that was made before; {job}/START
DEFERRED = "batch/async/"  # {job}/REQUEST, {job}/RESPONSE
OUTPUT = "batch/output/"  # {job}/part-…, manifest.json, _SUCCESS
INPUTS = (INPUT, DATA, OUTPUT)  # what a job may name as its input
START, REQUEST, RESPONSE = "start", "request", "response"
MANIFEST, SUCCESS = "manifest.json", "_SUCCESS"


def job_of(key: str) -> tuple[str, str] | None:
    """Job id and file name of an object that belongs to a job made before; None for any other."""
    parts = PurePosixPath(key).parts
    if key.startswith((UPLOADS, DEFERRED)) and len(parts) == 4 and parts[3] != RESPONSE:
        return parts[2], parts[3]
    return None


def drop_of(key: str) -> tuple[str, str] | None:
    """Model and reference of `batch/input/{model}/{version-or-alias}/{name}`; None for any other key."""
    parts = PurePosixPath(key).parts
    return (parts[2], parts[3]) if key.startswith(INPUT) and not key.endswith("/") and len(parts) == 5 else None
