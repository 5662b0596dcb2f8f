"""The boundary between other people's code and ours: what it raises becomes a value to report."""

import asyncio
from types import TracebackType
from typing import Self

PASSING = (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit)


class Boundary:
    """``with Boundary() as boundary: …`` keeps what is raised inside as ``boundary.error``.

    This is the one place that stops exceptions in general; who uses it must report the error.
    SystemExit counts, and so does a library's own BaseException: a task must be able to end neither
    the server nor its schedule. Cancellation, KeyboardInterrupt and GeneratorExit pass through.
    """

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None or isinstance(error, PASSING):
            return False
        self.error = error
        return True
