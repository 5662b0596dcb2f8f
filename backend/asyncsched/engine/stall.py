"""Who blocked the event loop: a thread that looks at the loop while it is stuck.

What the loop's thread executes at that moment is the culprit: the thread reads its stack, finds out
on whose behalf it runs, and waits until the loop goes on. Then the stall is told to the listeners,
on the loop. Code that keeps Python's lock, as a regular expression does, keeps this thread waiting
as well; it is seen when it lets go, at the line that called it.

A process that was stopped, or got no CPU, stands still as a whole. That is nobody's fault. It shows
in that this thread wakes up late and the process has used no CPU meanwhile, and it does not count.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncsched.engine import stacks
from asyncsched.engine.boundary import Boundary
from asyncsched.engine.culprits import culprit_of
from asyncsched.engine.pulse import Anatomy, Pulse, Since, pulse_of
from asyncsched.engine.runs import Stall

logger = logging.getLogger("asyncsched.stalls")

LONG = 10.0  # seconds
NOTICEABLE = 0.1  # seconds by which a thread may wake up late on a machine that is merely busy
MOST_REMEMBERED = 100  # runs that stalled and have not ended yet

Publish = Callable[[Stall], None]


class StallWatch:
    """Notices that the loop it was started on did nothing else for *threshold* seconds. For real time only.

    After *long* seconds it is said although the loop is still stuck, for it may never come back.
    *pulse_of* chooses how to look at a loop.
    """

    def __init__(self, threshold: float, *, long: float = LONG, pulse_of: Callable[..., Pulse] = pulse_of) -> None:
        self._threshold = threshold
        self._long = long
        self._pulse_of = pulse_of
        self._pulse: Pulse | None = None
        self._is_stopped = False
        self._longest: dict[str, Stall] = {}
        self._ongoing: tuple[Stall, _Span] | None = None

    def start(self, publish: Publish) -> None:
        """Watch the running loop from now on; *publish* is called on it after each stall."""
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: self._begin(loop, Anatomy(), publish))

    def stop(self) -> None:
        """Watch no longer. Called on the loop."""
        self._is_stopped = True
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None

    def stall_of(self, run_id: str) -> Stall | None:
        """Return the longest stall of a run that ends at this moment, None if it never blocked the loop.

        What blocks until its very end still counts as stuck now, for the loop comes round only later.
        """
        longest = self._longest.pop(run_id, None)
        if (ongoing := self._ongoing) is not None and ongoing[0].run_id == run_id:
            stall = replace(ongoing[0], seconds=ongoing[1].seconds())
            return stall if longest is None or stall.seconds > longest.seconds else longest
        return longest

    def _begin(self, loop: asyncio.AbstractEventLoop, anatomy: Anatomy, publish: Publish) -> None:
        if self._is_stopped:
            return
        self._pulse = self._pulse_of(loop, anatomy, self._threshold)
        self._pulse.start()
        arguments = (self._pulse, _Eye(loop, anatomy), publish)
        threading.Thread(target=self._watch, args=arguments, name="asyncsched stall watch", daemon=True).start()

    def _watch(self, pulse: Pulse, eye: "_Eye", publish: Publish) -> None:
        """What the thread does. It only ever looks, and what goes wrong in it concerns nobody else."""
        with Boundary() as boundary:
            while (since := pulse.next_doubt()) is not None and not eye.loop.is_closed():
                self._observe(since, eye, publish)
            pulse.close()
        if boundary.error:
            logger.error("the stall watch ended: stalls are no longer noticed", exc_info=boundary.error)

    def _observe(self, since: Since, eye: "_Eye", publish: Publish) -> None:
        """The loop may be stuck *since* then: if so, say who it is and wait until it goes on."""
        beat = threading.Lock()
        beat.acquire()
        eye.loop.call_soon_threadsafe(beat.release)
        span = _Span(since, self._threshold)
        while (left := self._threshold - span.seconds()) > 0:
            if span.wait_for(beat, left):
                return
        while (stall := eye.sighted(span, beat)) is None:  # it goes on already, or does not run at all
            if span.wait_for(beat, self._threshold) or eye.loop.is_closed():
                return
        self._ongoing = (stall, span)
        self._wait_until_over(stall, span, beat, eye.loop)
        stall = replace(stall, seconds=span.seconds())
        self._remember(stall)
        self._ongoing = None
        if not eye.loop.is_closed():
            eye.loop.call_soon_threadsafe(publish, stall)

    def _wait_until_over(
        self, stall: Stall, span: "_Span", beat: threading.Lock, loop: asyncio.AbstractEventLoop
    ) -> None:
        is_said = False
        while not span.wait_for(beat, self._threshold) and not loop.is_closed():
            if not is_said and span.seconds() >= self._long:
                is_said = True
                logger.error(
                    "the event loop has been stuck for %.1f s and still is: %s at %s\n%s",
                    span.seconds(),
                    stall.culprit,
                    stall.where,
                    stall.stack,
                    extra={"action": "stuck", "task": stall.task, "run": stall.run_id},
                )

    def _remember(self, stall: Stall) -> None:
        if stall.run_id is None:
            return
        known = self._longest.get(stall.run_id)
        if known is None or known.seconds < stall.seconds:
            self._longest[stall.run_id] = stall
        if len(self._longest) > MOST_REMEMBERED:
            self._longest.pop(next(iter(self._longest)), None)


@dataclass(frozen=True, slots=True)
class _Eye:
    """Sees what the loop's thread does."""

    loop: asyncio.AbstractEventLoop
    anatomy: Anatomy

    def sighted(self, span: "_Span", beat: threading.Lock) -> Stall | None:
        """Return who keeps the loop, None if it went on while we looked."""
        frames = self.anatomy.frames()
        if frames is None:
            return None
        innermost, outermost = frames
        handle = self.anatomy.handle_of(outermost)
        task = asyncio.current_task(self.loop)
        culprit_context = _context_of(handle) or _context_of(task)
        stack = stacks.stack_of(innermost, above=outermost if handle else outermost.f_back)
        del frames, innermost, outermost  # or the locals of what we saw would live on
        if not beat.locked():
            return None
        where = stacks.where(stack)
        culprit = culprit_of(culprit_context, task, callback=where if stack else _callback_name(handle))
        seconds = span.seconds()
        return Stall(
            culprit=culprit.name,
            where=where,
            stack=stacks.text(stack),
            began_at=datetime.now(UTC) - timedelta(seconds=seconds),
            seconds=seconds,
            task=culprit.task,
            run_id=culprit.run_id,
        )


class _Span:
    """How long a stall lasts, without the time in which the process as a whole stood still."""

    def __init__(self, since: Since, expected: float) -> None:
        """It began at *since*; this thread was to look at it *expected* seconds later."""
        self._began = since.at
        self._standstill = 0.0
        self._account(since, expected)

    def seconds(self) -> float:
        return time.monotonic() - self._began - self._standstill

    def wait_for(self, beat: threading.Lock, seconds: float) -> bool:
        """Wait up to *seconds* for the loop to go on; return whether it did."""
        since = Since.now()
        goes_on = beat.acquire(timeout=seconds)
        self._account(since, seconds)
        return goes_on

    def _account(self, since: Since, expected: float) -> None:
        """Do not count the time since then, if this thread woke up late and the process used no CPU."""
        elapsed, cpu = time.monotonic() - since.at, time.process_time() - since.cpu
        late = elapsed - expected
        if late > NOTICEABLE and cpu < late / 2:
            # How much of it came before the process stopped cannot be known: the loop gets all its time again.
            self._standstill += elapsed


def _callback_name(handle: Any) -> str:
    """Return the name of a callback that is written in C, and so has no line."""
    callback = getattr(handle, "_callback", None)
    return f"{getattr(callback, '__module__', None)}.{getattr(callback, '__qualname__', type(callback).__name__)}"


def _context_of(runs: Any) -> Context | None:
    """Return the context in which a handle or a task runs, None if there is no way to know."""
    get_context = getattr(runs, "get_context", None)  # Python 3.12 and later
    if get_context is not None:
        context: Context | None = get_context()
        return context
    return getattr(runs, "_context", None)  # handles of Python 3.11; its tasks hide theirs
