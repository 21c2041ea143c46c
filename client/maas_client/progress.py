"""Long work on a terminal: bars for bytes on their way, a spinner while the server works. On standard error."""

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.status import Status

from maas_client.records import Progress


def spinner(text: str, *, silent: bool = False) -> AbstractContextManager[object]:
    console = Console(stderr=True, quiet=silent)
    return console.status(text) if console.is_terminal else nullcontext()


class Display:
    """Give `show` to `MaasClient.push` or `download` as `progress`; `transient` bars leave nothing behind.

    Where standard error is no terminal, nothing is drawn.
    """

    def __init__(self, *, silent: bool = False, transient: bool = False) -> None:
        console = Console(stderr=True, quiet=silent)
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=32),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
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
        self._bars.stop()
        if self._checking:
            self._checking.stop()

    def show(self, progress: Progress) -> None:
        if progress.stage == "checking":
            self._bars.stop()  # two live displays cannot share a terminal
            if self._console.is_terminal:
                self._checking = self._console.status("checking: the server loads the model and runs it once")
                self._checking.start()
            return
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bars.add_task(progress.stage, total=progress.total_bytes)
        task = self._tasks[progress.stage]
        self._bars.update(task, completed=progress.done_bytes)
