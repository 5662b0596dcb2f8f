"""Timers of the Linux kernel: one that threads set without waking each other, and one that tells when the clock is set.

Both are ``timerfd_create(2)``. Elsewhere there are none, and who wants one does without.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

try:
    import ctypes
except ImportError:  # some builds of Python lack it
    HAS_TIMERS = False
else:
    HAS_TIMERS = sys.platform.startswith("linux") and ctypes.sizeof(ctypes.c_long) == 8

if TYPE_CHECKING:
    from typing import Self

ABSOLUTE, TELL_WHEN_SET = 1, 2  # TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET
NEVER = 1 << 40  # seconds since the epoch


class _Timer:
    """What both have in common."""

    def __init__(self, library: "ctypes.CDLL", descriptor: int) -> None:
        self._set = library.timerfd_settime
        self._set.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._descriptor = descriptor

    @classmethod
    def _create(cls, clock: int, flags: int = 0) -> "Self | None":
        """Return a timer by *clock*, None where there are none."""
        if not HAS_TIMERS:
            return None
        # Not CDLL: to let go of Python's lock around a call of half a microsecond would cost more than the call.
        library = ctypes.PyDLL(None)
        descriptor = library.timerfd_create(clock, os.O_CLOEXEC | flags)
        return cls(library, descriptor) if descriptor >= 0 else None

    def close(self) -> None:
        """Give the timer back. Nobody may wait for it or set it any more."""
        os.close(self._descriptor)


class KernelTimer(_Timer):
    """A timer that a thread can wait for and that others can set without waking it."""

    @classmethod
    def create(cls) -> "KernelTimer | None":
        """Return a timer, None where there are none."""
        return cls._create(time.CLOCK_MONOTONIC)

    def prepare(self, seconds: float) -> Callable[[], object]:
        """Return a function that sets the timer to go off *seconds* later, or takes it back if they are 0."""
        whole, fraction = divmod(round(seconds * 1e9), 1_000_000_000)
        value = (ctypes.c_long * 4)(0, 0, whole, fraction)  # struct itimerspec: interval, then value
        set_timer, descriptor, address = self._set, self._descriptor, ctypes.addressof(value)

        def set_it(_keep: object = value) -> object:  # an address is passed in half the time of an array
            return set_timer(descriptor, 0, address, None)

        return set_it

    def wait(self) -> None:
        """Block until the timer goes off."""
        os.read(self._descriptor, 8)


class SetAlarm(_Timer):
    """Becomes readable when somebody sets the wall clock, or the machine wakes up from suspension; never else."""

    @classmethod
    def create(cls) -> "SetAlarm | None":
        """Return one that is on, None where the kernel does not tell."""
        alarm = cls._create(time.CLOCK_REALTIME, os.O_NONBLOCK)
        if alarm is not None and not alarm.turn_on():
            alarm.close()
            return None
        return alarm

    def turn_on(self) -> bool:
        """Return whether the kernel is ready to tell."""
        value = (ctypes.c_long * 4)(0, 0, NEVER, 0)
        return bool(self._set(self._descriptor, ABSOLUTE | TELL_WHEN_SET, value, None) == 0)

    def fileno(self) -> int:
        """Return what to wait for."""
        return self._descriptor

    def clear(self) -> None:
        """Make ready for the next time."""
        with suppress(OSError):  # ECANCELED is what it says when the clock was set
            os.read(self._descriptor, 8)
