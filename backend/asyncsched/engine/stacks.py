"""What a thread is doing, read from outside: the line people look for, and the stack around it."""

import sys
import threading
from pathlib import Path
from traceback import FrameSummary, StackSummary
from types import FrameType

from asyncsched.registry import place

STANDARD_LIBRARY = str(Path(threading.__file__).parent)
THIS_PACKAGE = str(Path(__file__).parent.parent)
INSTALLED = frozenset({"site-packages", "dist-packages"})
MAX_CALLS = 60  # a recursion may have a thousand

Stack = list[FrameSummary]


def stack_of(frame: FrameType, *, above: FrameType | None = None) -> Stack:
    """Return the calls that led to *frame*, innermost last; only those *above* that frame, if given.

    The thread that executes it may go on while it is read, so this does nothing else meanwhile:
    the lines of source are looked up by ``text``.
    """
    found: list[FrameSummary] = []
    at: FrameType | None = frame
    while at is not None and at is not above:
        found.append(FrameSummary(at.f_code.co_filename, at.f_lineno, at.f_code.co_qualname, lookup_line=False))
        at = at.f_back
    found.reverse()
    return found


def where(stack: Stack) -> str:
    """Return the innermost line that is the project's own, as ``path/to/tasks.py:12 (function)``.

    That is the line to change: what it called in a library is not. If all of it is library code, the
    innermost line outside of the standard library and of this package counts, or else the innermost.
    """
    for is_worth_naming in (_is_of_project, _is_of_others, bool):
        for line in reversed(stack):
            if is_worth_naming(line.filename):
                return place(line.filename, line.lineno or 0, line.name)
    return "no line of Python"


def text(stack: Stack) -> str:
    """Return *stack* as a traceback shows it. Reads the files of source, so not for the event loop."""
    if len(stack) <= MAX_CALLS:
        return _formatted(stack)
    half = MAX_CALLS // 2
    return f"{_formatted(stack[:half])}\n  … {len(stack) - 2 * half} more calls …\n{_formatted(stack[-half:])}"


def where_thread_is(ident: int | None) -> str:
    """Return the line at which the thread *ident* is, as ``where`` does."""
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 - the documented way to another thread's frame
    return where(stack_of(frame)) if frame else "no line of Python"


def _formatted(stack: Stack) -> str:
    return "".join(StackSummary.from_list(stack).format()).rstrip()


def _is_of_others(filename: str) -> bool:
    """True for the project and for installed libraries, False for the standard library and for ourselves."""
    if filename.startswith(("<", THIS_PACKAGE)):
        return False
    return _is_installed(filename) or not filename.startswith(STANDARD_LIBRARY)


def _is_of_project(filename: str) -> bool:
    return _is_of_others(filename) and not _is_installed(filename)


def _is_installed(filename: str) -> bool:
    return not INSTALLED.isdisjoint(Path(filename).parts)
