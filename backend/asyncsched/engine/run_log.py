"""What a run writes to the log is kept with it: the latest lines, bounded in number and length.

The runner makes a RunLog per run the current one. What the run starts inherits it if it is given the
context, as asyncio's tasks and timers and ``to_thread`` are. LogKeeping fills it: an executor around
another that listens at the root logger while any run goes on. Whatever the project's logging lets
through to the root is kept.
"""

import itertools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Run
from asyncsched.engine.ports import Executor
from asyncsched.registry import Task

MOST_CHARACTERS = 20_000  # of all lines of a run
LONGEST_LINE = 4_000
HEAD = 1_000  # of a line that is longer; the rest is its end, where a traceback names the line that raised

_UNPRINTABLE = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class RunLog:
    """The latest lines of one run. Any thread may write, and none ever waits: lists are changed in single steps."""

    __slots__ = ("_lines", "_written")

    def __init__(self) -> None:
        self._lines: list[str] | None = []
        self._written = itertools.count()

    def add(self, line: str, most: int) -> None:
        """Take *line* in, unless the run is over; of more than *most* lines the oldest go."""
        lines = self._lines
        if lines is None:
            return
        next(self._written)
        lines.append(line)
        del lines[:-most]

    def take(self) -> str | None:
        """Return the lines, after one that says how many are left out; None if there were none. Called once."""
        lines, self._lines = self._lines, None
        kept: list[str] = []
        room = MOST_CHARACTERS
        for line in reversed(list(lines or ())):
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        if left_out := next(self._written) - len(kept):
            kept.append(f"({left_out:,} earlier {'line is' if left_out == 1 else 'lines are'} left out)")
        return "\n".join(reversed(kept)) or None


_current: ContextVar[RunLog | None] = ContextVar("asyncsched_run_log", default=None)


@contextmanager
def written_to(log: RunLog) -> Iterator[None]:
    """Inside the ``with`` block, and in what is started there, *log* is the one that lines go to."""
    before = _current.get()
    _current.set(log)
    try:
        yield
    finally:
        # Not by a token, which another context refuses: the interpreter may close a run in its own.
        _current.set(before)


class LogKeeping:
    """An executor around another one, that keeps the last *lines* of what each run writes to the log."""

    def __init__(self, executor: Executor, lines: int) -> None:
        self._executor = executor
        self._handler = RunLogHandler(lines)
        self._going = 0

    async def execute(self, task: Task, run: Run) -> Any:
        with self._listening():
            return await self._executor.execute(task, run)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._going += 1
        if self._going == 1:
            logging.getLogger().addHandler(self._handler)
        try:
            yield
        finally:
            self._going -= 1
            if not self._going:
                logging.getLogger().removeHandler(self._handler)


class RunLogHandler(logging.Handler):
    """Hands lines that runs write to their logs. It takes no lock, and neither raises nor listens to itself."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._lines = lines
        self._formatter = logging.Formatter(
            "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S"
        )
        self._is_busy = threading.local()

    def createLock(self) -> None:  # noqa: N802 - logging's name for it
        """There is none: while one thread put its line into words, the event loop would wait."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        if (log := _current.get()) is not None and not hasattr(self._is_busy, "now"):
            self._is_busy.now = True  # putting a value into words may log in turn
            try:
                log.add(self._line(record), self._lines)
            finally:
                del self._is_busy.now
        if logging.lastResort and record.levelno >= logging.lastResort.level and self._is_alone(record.name):
            logging.lastResort.handle(record)
        return True

    def _line(self, record: logging.LogRecord) -> str:
        with Boundary() as boundary:
            line = self._formatter.format(record)
            if len(line) > LONGEST_LINE:
                line = f"{line[:HEAD]} … {line[HEAD - LONGEST_LINE :]}"
            return line.translate(_UNPRINTABLE)
        return f"(a line of {record.name} cannot be put into words: {type(boundary.error).__name__})"

    def _is_alone(self, name: str) -> bool:
        """True if no other handler hears of *name*: but for this one, logging would show it as its last resort."""
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            if any(handler is not self for handler in logger.handlers):
                return False
            logger = logger.parent if logger.propagate else None
        return True
