"""A bar, or a spinner as long as nobody knows how much there is to do: by rich, where that is installed."""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.progress_bar import ProgressBar
from rich.text import Text

from asyncsched.engine.context import Run

BAR = 24  # characters


class BarProgress:
    """Shows the run that goes on in the last line, and takes it away when the run has ended.

    Meanwhile what the task prints or logs on the terminal goes above that line.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = ExitStack()
        self._bar: tuple[RichProgress, TaskID] | None = None

    def begin(self, name: str) -> None:
        self.end()
        spinner = "dots" if self._console.encoding.startswith("utf") else "line"
        progress = RichProgress(
            SpinnerColumn(spinner, style="busy"),
            TextColumn("{task.description}", markup=False),
            _Bar(bar_width=BAR),
            _Count(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._shown.enter_context(progress)
        self._shown.enter_context(_logs_above_it())
        self._bar = progress, progress.add_task(name, total=None)

    def update(self, run: Run) -> None:
        if self._bar:
            progress, shown = self._bar
            done, total = run.done_of_total
            progress.update(shown, completed=done, total=total)

    def end(self) -> None:
        self._bar = None
        self._shown.close()


class _Bar(BarColumn):
    """A bar, as soon as there is a total."""

    def render(self, task: Task) -> ProgressBar | Text:  # type: ignore[override]  # any renderable will do
        return super().render(task) if task.total else Text("")


class _Count(TextColumn):
    """How much is done, of how much."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        if task.total:
            return Text(f"{task.completed:g} of {task.total:g} ({task.percentage:.0f}%)")
        return Text(f"{task.completed:g} done" if task.completed else "")


@contextmanager
def _logs_above_it() -> Iterator[None]:
    """Let handlers that log to the terminal write where what is printed goes while the line is shown."""
    terminal = getattr(sys.stderr, "rich_proxied_file", None)
    moved = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is terminal
    ]
    for handler in moved:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in moved:
            handler.setStream(terminal)
