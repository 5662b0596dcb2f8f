"""The boundary between other people's code and ours: what it raises becomes a value to report."""

from types import TracebackType
from typing import Self


class Boundary:
    """``with Boundary() as boundary: …`` keeps what is raised inside as ``boundary.error``.

    This is the one place that stops exceptions in general; who uses it must report the error.
    SystemExit counts: a task must not be able to end the server. Cancellation and KeyboardInterrupt
    pass through.
    """

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: Exception | SystemExit | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception | SystemExit):
            self.error = error
            return True
        return False
