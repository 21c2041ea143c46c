"""A job's results, without network I/O: which parts there are, and which files they become."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maas_client.errors import DownloadFailed, InvalidInput
from maas_client.name_rules import is_job_id
from maas_client.records.jobs import Job, JobResult
from maas_client.records.transfers import Download

TEXT = (".jsonl", ".csv")
FORMATS = (*TEXT, ".npy", ".parquet")
ERRORS = "errors.jsonl"
LONGEST_NAME_BYTES = 200  # file systems take 255, of which a download in progress adds some
_PART = re.compile(r"part-(?:[0-9]{5}|x[0-9]{9})(?:_[0-9]{2})*\.(errors\.jsonl|jsonl|csv|parquet|[A-Za-z0-9._-]+\.npy)")

Series = Mapping[str, Sequence[JobResult]]  # parts by the file they belong to: "jsonl", "label.npy", "errors.jsonl"


def format_of(source: str) -> str:
    """The format of the predictions of a file: .jsonl, .csv, .npy or .parquet. Raises InvalidInput."""
    name = source.lower()
    for suffix in FORMATS:
        if name.endswith(suffix) or (suffix in TEXT and name.endswith(f"{suffix}.gz")):
            return suffix
    possible = ", ".join([*FORMATS, *(f"{suffix}.gz" for suffix in TEXT)])
    raise InvalidInput(f"{source}: expected a name that ends in one of {possible}")


def check_target(to: Path, format_: str) -> None:
    """Raises InvalidInput for a file whose name says another format, and for a folder where a file would be."""
    suffix = to.suffix.lower()
    if suffix in FORMATS and suffix != format_:
        raise InvalidInput(f"{to}: these predictions come as {format_}")
    if to.is_dir() and format_ != ".parquet":  # of which several parts are a folder
        raise InvalidInput(f"{to} is a folder: name a file for the predictions")


@dataclass(frozen=True, slots=True)
class Plan:
    """`downloads` go into `folder`, and `finish` makes the files from them; without `to`, they are the files."""

    downloads: tuple[Download, ...]
    folder: Path
    series: Series
    to: Path | None

    def finish(self) -> list[Path]:
        """The paths of the files. Raises DownloadFailed."""
        if self.to is None:
            return [(self.folder / one.name).resolve() for one in self.downloads]
        if not self.downloads:
            return _nothing(self.to)
        made = [
            _joined(suffix, [self.folder / one.name for one in parts], _target(self.to, suffix, self.series))
            for suffix, parts in self.series.items()
        ]
        shutil.rmtree(self.folder)
        return made


def plan(job: Job, results: Sequence[JobResult], to: Path, *, join: bool) -> Plan:
    """See `jobs.download`. Raises DownloadFailed for names that no part has, InvalidInput for another format's name."""
    if not is_job_id(job.id):
        raise DownloadFailed(f"the server calls the job {job.id!r:.200}, which is no id of a job")
    series = _series(results)
    formats = {f".{suffix.rpartition('.')[2]}" for suffix in series if suffix != ERRORS}
    if join and to.is_dir() and to.suffix.lower() not in FORMATS:
        to /= job.id + next(iter(formats), "")
    if join:
        for format_ in formats:
            check_target(to, format_)
    downloads = tuple(Download(one.name, one.size_bytes or 0, one.sha256 or "", one.url) for one in results)
    if not join:
        return Plan(downloads, to, series, None)
    # A fixed name, so that an interrupted download resumes.
    return Plan(downloads, to.with_name(f".{to.name}.{job.id}.parts"), series, to)


def _series(results: Sequence[JobResult]) -> Series:
    """Raises DownloadFailed."""
    series: dict[str, list[JobResult]] = {}
    for one in results:
        found = _PART.fullmatch(one.name)
        if not found or len(one.name.encode()) > LONGEST_NAME_BYTES:
            raise DownloadFailed(f"{one.name!r:.300} is not a part of a job's results")
        series.setdefault(found[1], []).append(one)
    if len({one.name for one in results}) < len(results):
        raise DownloadFailed("the server lists a part of a job's results twice")
    return dict(sorted(series.items(), key=lambda item: (item[0] == ERRORS, item[0])))


def _target(to: Path, suffix: str, series: Series) -> Path:
    """`to` itself for the only output; beside it the errors, and each output of several."""
    stem = to.name.removesuffix(to.suffix) if to.suffix in FORMATS else to.name
    if suffix == ERRORS:
        return to.with_name(f"{stem}.{ERRORS}")
    return to if len(series) - (ERRORS in series) == 1 else to.with_name(f"{stem}.{suffix}")


def _joined(suffix: str, parts: Sequence[Path], target: Path) -> Path:
    try:
        # Joining Parquet needs a library; readers accept a folder of parts.
        if suffix == "parquet" and (len(parts) > 1 or target.is_dir()):
            return _folder(parts, target)
        if len(parts) == 1:
            os.replace(parts[0], target)
            return target
        from maas_client.joining import join

        whole = parts[0].with_name("joined")
        with whole.open("wb") as file:
            join(suffix, parts, file)
        os.replace(whole, target)
    except OSError as error:
        raise DownloadFailed(f"cannot write {target}: {error.strerror}") from error
    return target


def _folder(parts: Sequence[Path], target: Path) -> Path:
    target.mkdir(exist_ok=True)
    for old in target.glob("part-*.parquet"):
        if _PART.fullmatch(old.name):  # of an earlier download
            old.unlink()
    for part in parts:
        os.replace(part, target / part.name)
    return target


def _nothing(to: Path) -> list[Path]:
    """The files of an input without records: an empty one, if the format allows it."""
    if to.suffix not in TEXT:
        return []
    try:
        to.write_bytes(b"")
    except OSError as error:
        raise DownloadFailed(f"cannot write {to}: {error.strerror}") from error
    return [to]
