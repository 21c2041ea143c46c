"""Progress on a terminal, on standard error: a bar for each stage of a push, a download or a job."""

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self, get_args

from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from maas_client.cli.looks import console, line
from maas_client.records.jobs import Job
from maas_client.records.transfers import Progress, Transfer

# What the server does with an uploaded version, by stage.
TOLD = {
    "checking": "are all files there?",
    "checking digests": "the server reads the files and compares their digests",
    "loading": "the server loads the model",
    "smoke run": "the server runs the model and measures it",
    "preparing": "the server prepares the form that loads fastest",
    "quantizing": "the server makes the quantised form and compares it",
}


def spinner(text: str, *, silent: bool = False) -> AbstractContextManager[object]:
    screen = console(err=True)
    return screen.status(line(text)) if screen.is_terminal and not silent else nullcontext()


class Display:
    """Pass `show` as `progress` to `push`, `batch` or `download`; `transient` bars disappear at the end.

    Draws nothing if standard error is not a terminal.
    """

    def __init__(self, *, silent: bool = False, transient: bool = False) -> None:
        screen = console(err=True)
        self._bars = Bars(
            SpinnerColumn(finished_text=Text("✓", "green")),
            TextColumn("{task.description:<11}", markup=False),
            BarColumn(bar_width=32),
            _Counts(),
            console=screen,
            disable=silent or not screen.is_terminal,
            transient=transient,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if not self._bars.disable:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._finish("checking")
        self.stop()

    def stop(self) -> None:
        """Stop drawing."""
        if not self._bars.disable:  # some versions of Rich end with an empty line all the same
            self._bars.stop()

    def show(self, progress: Progress | Job) -> None:
        if isinstance(progress, Job):
            self._show_job(progress)
        elif progress.stage not in get_args(Transfer):
            self._bars.update(self._task("checking"), told=TOLD.get(progress.stage, progress.stage))
        else:
            task = self._task(progress.stage)
            self._bars.update(task, total=progress.total_bytes, completed=progress.done_bytes)

    def _show_job(self, job: Job) -> None:
        """A bar of shards, once the job is planned."""
        done, total = (job.progress.shards_done, job.progress.shards_total) if job.progress else (0, None)
        status = line(job.status.lower()).plain
        self._bars.update(self._task("job"), description=status, completed=done, total=total, told=told_of(job))

    def _task(self, stage: str) -> TaskID:
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=None)
        return self._tasks[stage]

    def _finish(self, stage: str) -> None:
        if stage in self._tasks:
            self._bars.update(self._tasks[stage], total=1, completed=1, told="")


class _Counts(ProgressColumn):
    """Bytes with rate and time left; or the field `told` and the time since the stage began."""

    def __init__(self) -> None:
        super().__init__()
        self._columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._elapsed = TimeElapsedColumn()

    def render(self, task: Task) -> Text:
        told = task.fields.get("told")
        if told is None:
            return Text(" ").join(one.render(task) for one in self._columns)
        return Text(" ").join([self._elapsed.render(task), Text(told)])


def told_of(job: Job) -> str:
    """'3/8 shards, 250,000 rows, 3 errors, 12,500 rows/s, 60 s left', as far as known."""
    found = job.progress
    if found is None:
        return ""
    told = [f"{found.shards_done}/{found.shards_total} shards", _counted(found.rows, "row")]
    if found.errors:
        told.append(_counted(found.errors, "error"))
    if found.rows_per_second is not None:
        told.append(f"{found.rows_per_second:,.0f} rows/s")
    if found.eta_seconds is not None:
        told.append(f"{found.eta_seconds:,.0f} s left")
    return ", ".join(told)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
