"""Progress on a terminal, on standard error: bars for bytes and jobs, a spinner while the server works."""

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.status import Status
from rich.text import Text

from maas_client.job_records import Job
from maas_client.model_records import Progress


def spinner(text: str, *, silent: bool = False) -> AbstractContextManager[object]:
    console = Console(stderr=True, quiet=silent)
    return console.status(text) if console.is_terminal else nullcontext()


class Display:
    """Pass `show` as `progress` to `push`, `batch` or `download`; `transient` bars disappear at the end.

    Draws nothing if standard error is not a terminal.
    """

    def __init__(self, *, silent: bool = False, transient: bool = False) -> None:
        console = Console(stderr=True, quiet=silent)
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=32),
            _Counts(),
            console=console,
            disable=not console.is_terminal,
            transient=transient,
        )
        self._tasks: dict[str, TaskID] = {}
        self._checking: Status | None = None
        self._console = console

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop drawing."""
        self._bars.stop()
        if self._checking:
            self._checking.stop()

    def show(self, progress: Progress | Job) -> None:
        if isinstance(progress, Job):
            self._show_job(progress)
        elif progress.stage == "checking":
            self._bars.stop()  # two live displays cannot share a terminal
            if self._console.is_terminal:
                self._checking = self._console.status("checking: the server loads the model and runs it once")
                self._checking.start()
        else:
            task = self._task(progress.stage)
            self._bars.update(task, total=progress.total_bytes, completed=progress.done_bytes)

    def _show_job(self, job: Job) -> None:
        """A bar of shards, once the job is planned."""
        done, total = (job.progress.shards_done, job.progress.shards_total) if job.progress else (0, None)
        task = self._task("job")
        self._bars.update(task, description=job.status.lower(), completed=done, total=total, told=told_of(job))

    def _task(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=None)
        return self._tasks[name]


class _Counts(ProgressColumn):
    """Bytes with rate and time left, or the field `told`."""

    def __init__(self) -> None:
        super().__init__()
        self._columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())

    def render(self, task: Task) -> Text:
        told = task.fields.get("told")
        return Text(" ").join(one.render(task) for one in self._columns) if told is None else Text(told)


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
