"""What a run writes to the log is kept with it: the latest lines, bounded in number and length.

Each run has a RunLog. What the run starts writes to it if it is given the context, as asyncio's tasks
and timers and ``to_thread`` are. LogKeeping fills it: it listens at the root logger while any run goes
on. Whatever the project's logging lets through to the root is kept.
"""

import asyncio
import logging
import threading

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import run_here

LONGEST_LINE = 4_000
HEAD = 1_000  # of a line that is longer; the rest is its end, where a traceback names the line that raised

_UNPRINTABLE = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class LogKeeping:
    """Inside of ``with`` blocks of it, which may overlap, the last *lines* of what each run writes are kept."""

    def __init__(self, lines: int) -> None:
        self._handler = RunLogHandler(lines)
        self._going = 0
        self._listens = False
        self._is_leaving = False

    def __enter__(self) -> None:
        self._going += 1
        if not self._listens:
            self._listens = True
            logging.getLogger().addHandler(self._handler)

    def __exit__(self, *raised: object) -> None:
        self._going -= 1
        if not self._going and not self._is_leaving:  # thousands may begin and end before the loop comes round
            self._is_leaving = True
            try:
                asyncio.get_running_loop().call_soon(self._leave)
            except RuntimeError:  # there is no loop any more: the interpreter closes the run
                self._leave()

    def _leave(self) -> None:
        self._is_leaving = False
        if not self._going and self._listens:
            self._listens = False
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
        if (run := run_here()) is not None and not hasattr(self._is_busy, "now"):
            self._is_busy.now = True  # putting a value into words may log in turn
            try:
                run.log.add(self._line(record), self._lines)
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
