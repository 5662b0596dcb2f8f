"""A timer of the Linux kernel, set and waited for without threads waking each other."""

import ctypes
import os
import sys
import time
from collections.abc import Callable


class KernelTimer:
    """A timer that a thread can wait for and that others can set without waking it (``timerfd_create(2)``)."""

    def __init__(self, library: ctypes.CDLL, descriptor: int) -> None:
        self._set = library.timerfd_settime
        self._set.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._descriptor = descriptor

    @classmethod
    def create(cls) -> "KernelTimer | None":
        """Return a timer, None where there are none."""
        if not sys.platform.startswith("linux") or ctypes.sizeof(ctypes.c_long) != 8:
            return None
        # Not CDLL: to let go of Python's lock around a call of half a microsecond would cost more than the call.
        library = ctypes.PyDLL(None)
        descriptor = library.timerfd_create(time.CLOCK_MONOTONIC, os.O_CLOEXEC)
        return cls(library, descriptor) if descriptor >= 0 else None

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

    def close(self) -> None:
        """Give the timer back. Nobody may wait for it or set it any more."""
        os.close(self._descriptor)
