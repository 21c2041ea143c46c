"""Keys of batch files in the bucket."""

from typing import NamedTuple

INPUT = "batch/input/"  # {model}/{version-or-alias}/{name}: an object that arrives here creates a job
DATA = "batch/data/"  # users' own files, for jobs to name
UPLOADS = "batch/jobs/"  # {job}/{name}: the uploaded input of a job; {job}/start: wakes the planner
DEFERRED = "batch/async/"  # {job}/request, {job}/response
OUTPUT = "batch/output/"  # {job}/part-…, manifest.json, _SUCCESS, or the folder that the job names
INPUTS = (INPUT, DATA, OUTPUT)  # what a job may name as its input
START, REQUEST, RESPONSE = "start", "request", "response"
MANIFEST, SUCCESS = "manifest.json", "_SUCCESS"
EXPECTED_DROP = "batch/input/{model}/{version-or-alias}/{name}"


class Drop(NamedTuple):
    """`reference` is empty where the key has no folder that names it."""

    model: str
    reference: str


def job_of(key: str) -> tuple[str, str] | None:
    """Job id and file name of an object that belongs to an existing job; None for any other key."""
    parts = key.split("/")
    if key.startswith((UPLOADS, DEFERRED)) and len(parts) == 4 and parts[3] not in ("", RESPONSE):
        return parts[2], parts[3]
    return None


def drop_of(key: str) -> Drop | None:
    """What a key below INPUT names; None for keys without a model, folders, and files that are nobody's input.

    Folders may follow the version or alias, as Spark writes them; hidden ones hold unfinished files.
    """
    if not key.startswith(INPUT):
        return None
    *folders, name = key.removeprefix(INPUT).split("/")
    if not name or not folders or not folders[0] or any(map(is_marker, [*folders[2:], name])):
        return None
    return Drop(folders[0], folders[1] if len(folders) > 1 else "")


def is_marker(name: str) -> bool:
    """Whether tools write files of this name beside the data: _SUCCESS, .part-0.csv.crc, data_$folder$."""
    return name.startswith(("_", ".")) or name.endswith("_$folder$")
