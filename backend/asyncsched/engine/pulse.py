"""When to doubt that the event loop goes on: noticed from another thread, at next to no cost while it does.

A thread that looked at the loop several times a second would cost an idle process more than the
schedules do. So on Linux nobody looks: each time the loop wakes up it sets a timer of the kernel,
and takes it back before it sleeps again; two system calls, beside those that waking up takes. Only
when the loop has not slept in time does the timer go off, and that wakes the thread.

For that the loop's own ``select`` is wrapped. Loops without one, such as uvloop's, and systems
without such timers, are looked at twice per threshold instead.
"""

import asyncio
import selectors
import sys
import threading
import time
from types import CodeType, FrameType
from typing import Any, NamedTuple, Protocol

from asyncsched.engine.timer import KernelTimer

LOOK_AT_ONCE = 1e-6  # seconds; 0 would take the timer back


class Since(NamedTuple):
    """A moment, by the monotonic clock, and the seconds of CPU that the process had used by then."""

    at: float
    cpu: float

    @classmethod
    def now(cls) -> "Since":
        return cls(time.monotonic(), time.process_time())


class Pulse(Protocol):
    """Tells the watching thread when the loop may be stuck."""

    def start(self) -> None:
        """Begin, on the loop."""

    def next_doubt(self) -> Since | None:
        """Wait, in the watching thread, until the loop seems stuck; return since when, None after ``stop``."""

    def stop(self) -> None:
        """Leave the loop as it was. Called on the loop."""

    def close(self) -> None:
        """Give back what it holds: the last call, by the watching thread."""


class Anatomy:
    """What the stack of the thread looks like in which a loop runs. Create it in a plain callback of the loop."""

    def __init__(self) -> None:
        beneath = sys._getframe(1).f_back  # noqa: SLF001 - documented
        if beneath is None:
            raise RuntimeError("must be created in a callback of the event loop")
        self.thread = threading.get_ident()
        self._has_handles = isinstance(beneath.f_locals.get("self"), asyncio.Handle)
        loop = beneath.f_back if self._has_handles and beneath.f_back else beneath
        self._callback_code = beneath.f_code
        self._loop_code: CodeType = loop.f_code

    def frames(self) -> tuple[FrameType, FrameType] | None:
        """Return the innermost frame and the outermost of the callback that runs, None if the loop waits.

        The outermost is that of the handle which runs the callback, on a loop that is written in Python.
        """
        innermost = sys._current_frames().get(self.thread)  # noqa: SLF001 - documented
        at, above = innermost, None
        while at is not None and at.f_code is not self._loop_code:
            at, above = at.f_back, at
        if innermost is None or at is None or above is None:
            return None
        if self._has_handles and above.f_code is not self._callback_code:
            return None
        return innermost, above

    def handle_of(self, outermost: FrameType) -> Any:
        """Return the ``asyncio.Handle`` whose callback runs, None on a loop that has no such frames."""
        return outermost.f_locals.get("self") if self._has_handles else None


def pulse_of(loop: asyncio.AbstractEventLoop, anatomy: Anatomy, threshold: float) -> Pulse:
    """Return the pulse that fits *loop*; it is in doubt after *threshold* seconds."""
    selector = getattr(loop, "_selector", None)
    timer = KernelTimer.create() if isinstance(selector, selectors.BaseSelector) else None
    if timer is None:
        return SampledPulse(loop, anatomy, threshold)
    return TimedPulse(selector, timer, threshold)


class TimedPulse:
    """Doubts once the loop has gone without ``select`` for *threshold* seconds."""

    def __init__(self, selector: Any, timer: KernelTimer, threshold: float) -> None:
        self._selector = selector
        self._timer = timer
        self._threshold = threshold
        self._at: float | None = None  # when the loop last came round, None while it sleeps
        self._cpu = 0.0
        self._original = selector.select
        self._select: object = None
        self._ended = False

    def start(self) -> None:
        original = self._original
        arm, disarm = self._timer.prepare(self._threshold), self._timer.prepare(0)

        def select(timeout: float | None = None) -> Any:
            if timeout is not None and timeout <= 0:  # there is work to do: no sleep, and the timer runs on
                events = original(timeout)
            else:
                self._at = None
                disarm()
                events = original(timeout)
                arm()
                self._cpu = time.process_time()
            self._at = time.monotonic()
            return events

        self._at, self._cpu = Since.now()
        self._selector.select = self._select = select

    def next_doubt(self) -> Since | None:
        while not self._ended:
            if (at := self._at) is not None:
                # The loop sets the timer only when it wakes up; it may have gone round since without sleeping.
                self._timer.prepare(max(LOOK_AT_ONCE, at + self._threshold - time.monotonic()))()
            self._timer.wait()
            at = self._at
            if at is not None and time.monotonic() - at >= self._threshold and not self._ended:
                return Since(at, self._cpu)
        return None

    def stop(self) -> None:
        self._ended = True
        if vars(self._selector).get("select") is self._select:
            self._selector.select = self._original
        self._timer.prepare(LOOK_AT_ONCE)()

    def close(self) -> None:
        self._timer.close()


class SampledPulse:
    """Looks twice per *threshold* whether the loop is at work, and then counts from when it last was not.

    Whatever takes *threshold* seconds is found so, and some of what takes more than half of it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, anatomy: Anatomy, threshold: float) -> None:
        self._loop = loop
        self._anatomy = anatomy
        self._period = threshold / 2
        self._going_on = threading.Lock()

    def start(self) -> None:
        self._going_on.acquire()

    def next_doubt(self) -> Since | None:
        idle = Since.now()
        while not self._going_on.acquire(timeout=self._period):
            if self._anatomy.frames() or self._loop.is_closed():
                return idle
            idle = Since.now()
        return None

    def stop(self) -> None:
        self._going_on.release()

    def close(self) -> None:
        """There is nothing to give back."""
