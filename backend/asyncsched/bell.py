"""Waking a service of this process from any thread."""

import asyncio
import threading


class Bell:
    """Tells a ``@service`` that there is something to look at.

    A ring carries nothing: it means "look again". Rings before the next ``wait`` are one, and none is
    lost in between. It reaches this process only, so whoever waits also looks by itself now and then.
    Inside a transaction ring after it: ``transaction.on_commit(bell.ring)``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_rung = False
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        """Wake whoever waits, or else the next who comes. From any thread; it never waits."""
        with self._lock:
            self._is_rung = True
            for loop, rung in self._waiting:
                loop.call_soon_threadsafe(rung.set)

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - a bound is part of what it does
        """Return True once it rings, also if it has rung since the last wait; False after *timeout* seconds."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._is_rung:
                waiter[1].set()
            self._waiting.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter[1].wait()
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(waiter)
        with self._lock:
            self._is_rung = False
        return True
