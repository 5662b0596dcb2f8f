"""The stall watch. In real time, because blocking the loop knows no other; here sleeping is the stall itself."""

import asyncio
import contextlib
import logging
import re
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asyncsched import Every
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.culprits import Culprit, work_for
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.pulse import Anatomy, Pulse, SampledPulse, TimedPulse, pulse_of
from asyncsched.engine.runs import RunResult, Stall
from asyncsched.engine.stall import StallWatch
from asyncsched.engine.supervisor import Supervisor
from asyncsched.registry import Service, Task
from asyncsched.testing import MemoryStore, RecordingListener
from tests.engine.conftest import make_task
from tests.support.deadline import eventually

THRESHOLD = 0.25
TOO_LONG = 0.4
HERE = Path(__file__).relative_to(Path.cwd())

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the timer of the watch needs Linux")


def sampled(loop: asyncio.AbstractEventLoop, anatomy: Anatomy, threshold: float) -> Pulse:
    """Look at the loop now and then, as where there is no timer to set."""
    return SampledPulse(loop, anatomy, threshold)


PULSES = pytest.mark.parametrize("choose_pulse", [pulse_of, sampled])


def line_of(function: Callable[..., Any], text: str) -> str:
    """Return the place in *function* at which *text* stands, as the watch shows it."""
    code = function.__code__
    lines = Path(code.co_filename).read_text().splitlines()[code.co_firstlineno - 1 :]
    offset = next(number for number, line in enumerate(lines) if text in line)
    return f"{HERE}:{code.co_firstlineno + offset} ({code.co_qualname})"


TRIES = 10
"""While other processes have most of the processor nobody is to blame, and nothing is told: then once more."""


def block(seconds: float = TOO_LONG) -> None:
    time.sleep(seconds)


class Watched:
    """A loop that is watched, and what was told of it."""

    def __init__(self, watch: StallWatch) -> None:
        self.watch = watch
        self.stalls: list[Stall] = []

    async def told(self, count: int = 1) -> list[Stall]:
        """Wait until *count* stalls were told."""
        return await eventually(lambda: len(self.stalls) >= count and self.stalls)


@contextlib.asynccontextmanager
async def watching(choose_pulse: Callable[..., Pulse] = pulse_of, **options: Any) -> AsyncIterator[Watched]:
    """Watch the running loop inside the ``async with`` block."""
    watched = Watched(StallWatch(THRESHOLD, pulse_of=choose_pulse, **options))
    watched.watch.start(watched.stalls.append)
    await asyncio.sleep(0)  # it begins in a callback of its own
    assert watchers()
    try:
        yield watched
    finally:
        watched.watch.stop()
        await eventually(lambda: not watchers())


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "asyncsched stall watch"]


class Real:
    """A scheduler in real time that watches its loop."""

    def __init__(self, *tasks: Task, services: tuple[Service, ...] = ()) -> None:
        self.listener = _Listener()
        self.supervisor = Supervisor(
            tasks,
            services,
            clock=SystemClock(),
            store=MemoryStore(),
            executor=LocalExecutor(2),
            listeners=(self.listener,),
            stall_watch=StallWatch(THRESHOLD),
        )

    async def __aenter__(self) -> "Real":
        await self.supervisor.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.supervisor.drain(grace=2.0)
        await eventually(lambda: not watchers())

    async def told(self, count: int = 1) -> list[Stall]:
        """Wait until *count* stalls were told."""
        return await eventually(lambda: len(self.listener.stalls) >= count and self.listener.stalls)

    async def result(self) -> RunResult:
        """Wait for a run to end."""
        return await eventually(lambda: self.listener.finished and self.listener.finished[0])


class _Listener(RecordingListener):
    def __init__(self) -> None:
        super().__init__()
        self.stalls: list[Stall] = []

    def stalled(self, stall: Stall) -> None:
        self.stalls.append(stall)


def once(function: Callable[[], Any]) -> Task:
    return make_task(function, Every(3600), name="culprit", run_on_start=True)


# Who it was.


async def test_a_task_that_blocks_the_loop_is_named_with_its_run_and_the_line() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        block()

    async with Real(once(work)) as scheduler:
        (stall,) = await scheduler.told()
        result = await scheduler.result()
    assert (stall.culprit, stall.task, stall.run_id) == ("task culprit", "culprit", result.claim.run_id)
    assert stall.where == line_of(block, "time.sleep(seconds)")
    assert "in test_a_task_that_blocks_the_loop_is_named_with_its_run_and_the_line.<locals>.work" in stall.stack
    assert stall.stack.endswith("time.sleep(seconds)")


async def test_the_record_of_the_run_carries_it() -> None:
    async def work() -> None:
        block()

    async with Real(once(work)) as scheduler:
        stall = (await scheduler.result()).stall
    assert stall
    assert (stall.task, stall.where) == ("culprit", line_of(block, "time.sleep(seconds)"))
    assert THRESHOLD < stall.seconds < 2 * TOO_LONG


async def test_the_record_of_the_run_carries_its_longest() -> None:
    async def work() -> None:
        for seconds in (0.3, 0.6, 0.3):
            block(seconds)
            await asyncio.sleep(0.01)

    for _ in range(TRIES):
        async with Real(once(work)) as scheduler:
            result = await scheduler.result()
        stalls = scheduler.listener.stalls
        if len(stalls) == 3:
            break
    assert len(stalls) == 3
    assert result.stall == max(stalls, key=lambda stall: stall.seconds)


async def test_a_run_that_blocks_nothing_has_none() -> None:
    async def work() -> None:
        await asyncio.sleep(TOO_LONG)

    async with Real(once(work)) as scheduler:
        assert (await scheduler.result()).stall is None


async def test_what_a_task_starts_counts_as_its_own() -> None:
    async def child() -> None:
        await asyncio.sleep(0)
        block()

    async def work() -> None:
        await asyncio.create_task(child())

    async with Real(once(work)) as scheduler:
        (stall,) = await scheduler.told()
    assert stall.culprit == "task culprit"


async def test_a_timer_that_a_task_sets_counts_as_its_own() -> None:
    async def work() -> None:
        asyncio.get_running_loop().call_soon(block)

    async with Real(once(work)) as scheduler:
        (stall,) = await scheduler.told()
    assert stall.culprit == "task culprit"


async def test_a_service_is_named_and_so_is_what_it_starts() -> None:
    async def child() -> None:
        block()

    async def serve() -> None:
        await asyncio.create_task(child())
        await asyncio.Event().wait()

    async with Real(services=(Service(name="line to the house", function=serve),)) as scheduler:
        (stall,) = await scheduler.told()
    assert (stall.culprit, stall.task) == ("service line to the house", "line to the house")
    assert stall.run_id is None


async def test_a_schedule_that_takes_long_to_say_what_is_next_is_named() -> None:
    class Slow(Every):
        def next_after(self, moment: Any) -> Any:
            if not slept:
                slept.append(True)
                asyncio.get_running_loop().call_soon(block)
            return super().next_after(moment)

    slept: list[bool] = []
    async with Real(make_task(schedule=Slow(3600), name="culprit")) as scheduler:
        (stall,) = await scheduler.told()
    assert (stall.culprit, stall.task) == ("the schedule of culprit", "culprit")


@PULSES
async def test_a_request_is_named(choose_pulse: Callable[..., Pulse]) -> None:
    async def handle() -> None:
        work_for(lambda: Culprit(name="request GET /slow"))
        await asyncio.gather(view())

    async def view() -> None:
        block()

    async with watching(choose_pulse) as watched:
        await asyncio.create_task(handle())
        (stall,) = await watched.told()
    assert (stall.culprit, stall.task) == ("request GET /slow", None)


@PULSES
async def test_any_other_coroutine_is_called_by_its_name(choose_pulse: Callable[..., Pulse]) -> None:
    async def strange() -> None:
        block()

    async with watching(choose_pulse) as watched:
        await asyncio.create_task(strange(), name="somebody's")
        (stall,) = await watched.told()
    assert stall.culprit.startswith('asyncio task "somebody\'s" (')
    assert stall.culprit.endswith("strange)")


async def test_any_other_callback_is_called_by_its_line() -> None:
    async with watching() as watched:
        asyncio.get_running_loop().call_soon(block)
        (stall,) = await watched.told()
    assert stall.culprit == f"callback {line_of(block, 'time.sleep(seconds)')}"


async def test_a_callback_without_a_line_is_called_by_its_name() -> None:
    async with watching() as watched:
        asyncio.get_running_loop().call_soon(time.sleep, TOO_LONG)
        (stall,) = await watched.told()
    assert (stall.culprit, stall.where) == ("callback time.sleep", "no line of Python")


@PULSES
async def test_code_that_keeps_pythons_lock_is_seen_at_the_line_that_called_it(
    choose_pulse: Callable[..., Pulse],
) -> None:
    def backtrack() -> None:
        text, end = "a" * 20, time.monotonic() + 30
        while time.monotonic() < end:
            began, cpu = time.monotonic(), time.process_time()
            re.match(r"(a+)+$", text + "b")
            took, cpu = time.monotonic() - began, time.process_time() - cpu
            # If others have most of the processor meanwhile, nobody is to blame: then once more.
            if cpu > max(2 * THRESHOLD, 0.6 * took):
                return
            text += "a" * (cpu < 2 * THRESHOLD)

    async with watching(choose_pulse) as watched:
        for _ in range(TRIES):
            asyncio.get_running_loop().call_soon(backtrack)
            await asyncio.sleep(0)  # for as long as it takes
            await asyncio.sleep(THRESHOLD)  # in which the watch tells of it
            if watched.stalls:
                break
        stall = (await watched.told())[0]
    assert "backtrack" in stall.where
    assert stall.seconds > THRESHOLD


# How long, and how often.


async def test_what_is_shorter_than_the_threshold_is_not_worth_a_word() -> None:
    async with watching() as watched:
        for _ in range(5):
            block(THRESHOLD / 5)
            await asyncio.sleep(0)
        block()
        await watched.told()
    assert len(watched.stalls) == 1


@PULSES
async def test_two_in_a_row_are_two(choose_pulse: Callable[..., Pulse]) -> None:
    async def work() -> None:
        block()
        await asyncio.sleep(0)
        block()

    async with watching(choose_pulse) as watched:
        await asyncio.create_task(work())
        first, second = await watched.told(2)
    assert first.began_at < second.began_at
    assert max(first.seconds, second.seconds) < 2 * TOO_LONG


async def test_its_length_is_that_of_the_block() -> None:
    async with watching() as watched:
        began = time.monotonic()
        block()
        took = time.monotonic() - began
        (stall,) = await watched.told()
    assert stall.seconds == pytest.approx(took, abs=0.1)


async def test_a_loop_that_is_busy_but_goes_on_is_not_stuck() -> None:
    async with watching() as watched:
        until = time.monotonic() + 3 * THRESHOLD
        while time.monotonic() < until:  # noqa: ASYNC110 - being busy is the point
            await asyncio.sleep(0)
        assert watched.stalls == []
        block()
        await watched.told()
    assert len(watched.stalls) == 1


def said_of_stalls(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What the watch has logged, and not what another thread of this process says meanwhile."""
    return [record for record in caplog.records if record.name == "asyncsched.stalls"]


async def test_it_is_said_while_it_lasts_if_it_lasts_long(caplog: pytest.LogCaptureFixture) -> None:
    async with watching(long=2 * THRESHOLD) as watched:
        until = time.monotonic() + 30
        while not said_of_stalls(caplog) and time.monotonic() < until:
            block(0.01)  # all of this is the stall, and it ends when it has been told of
        (record,) = said_of_stalls(caplog)
        await watched.told()
    assert (record.levelno, record.name) == (logging.ERROR, "asyncsched.stalls")
    assert "still is: asyncio task" in record.getMessage()
    assert f"{HERE}:" in record.getMessage()


# What it leaves alone.


async def test_while_the_loop_sleeps_in_time_the_thread_sleeps_too() -> None:
    def wake_ups() -> int:
        status = Path(f"/proc/self/task/{watchers()[0].native_id}/status").read_text()
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)[1])  # type: ignore[index]

    async with watching():
        await asyncio.sleep(0.01)
        before = wake_ups()
        for _ in range(50):
            await asyncio.sleep(0.02)
        assert wake_ups() - before <= 2


async def test_when_it_stops_the_loop_is_as_it_was() -> None:
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    before = selector.select
    async with watching() as watched:
        assert isinstance(watched.watch._pulse, TimedPulse)
        assert selector.select != before
    assert selector.select == before
    assert not watchers()


async def test_one_that_is_stopped_before_it_began_never_begins() -> None:
    watch = StallWatch(THRESHOLD)
    watch.start(print)
    watch.stop()
    await asyncio.sleep(0.01)
    assert not watchers()


async def test_a_loop_that_ends_without_a_word_ends_the_watch() -> None:
    def live_and_block() -> None:
        asyncio.run(live())

    async def live() -> None:
        StallWatch(THRESHOLD, pulse_of=sampled).start(print)
        await asyncio.sleep(0.01)

    await asyncio.to_thread(live_and_block)
    await eventually(lambda: not watchers())


async def test_a_listener_that_raises_does_not_end_it() -> None:
    def raising(stall: Stall) -> None:
        told.append(stall)
        raise LookupError("no such listener")

    told: list[Stall] = []
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    watch = StallWatch(THRESHOLD)
    watch.start(raising)
    await eventually(watchers)
    for count in (1, 2):
        block()
        await eventually(partial(lambda count: len(told) == count, count))
    watch.stop()
    await eventually(lambda: not watchers())
    assert len(complaints) == 2


# A loop that is not written in Python, such as uvloop's, has no frames of its own.


class Strange:
    """A loop in a thread, of which only one frame shows: it waits, and it calls."""

    def __init__(self) -> None:
        self.orders: list[Callable[[], None]] = []
        self.go = threading.Lock()
        self.go.acquire()
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            self.go.acquire()
            for order in self.orders:
                order()
            self.orders.clear()

    def call(self, order: Callable[[], None]) -> None:
        self.orders.append(order)
        self.go.release()


@pytest.fixture
def strange() -> Iterator[Strange]:
    loop = Strange()
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.ended = True
    loop.call(lambda: None)
    thread.join()


async def test_a_loop_of_another_kind_is_seen_waiting_and_working(strange: Strange) -> None:
    anatomies: list[Anatomy] = []
    release = threading.Event()
    strange.call(lambda: anatomies.append(Anatomy()))
    await eventually(lambda: anatomies)
    (anatomy,) = anatomies
    await eventually(lambda: anatomy.frames() is None)
    strange.call(lambda: block_until(release))
    innermost, outermost = await eventually(anatomy.frames)
    assert outermost.f_back.f_code is Strange.run.__code__
    assert anatomy.handle_of(outermost) is None
    del innermost, outermost
    release.set()
    await eventually(lambda: anatomy.frames() is None)


def block_until(release: threading.Event) -> None:
    release.wait(30)
