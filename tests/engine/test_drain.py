"""A drain that meets a schedule in every phase: what is recorded is the truth, and nothing is left over."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from asyncsched import Every, Overlap, Retry, current_run
from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunStatus
from asyncsched.errors import StoreUnavailable
from asyncsched.registry import Service, Task
from asyncsched.testing import MemoryStore
from tests.engine.conftest import Scheduler, make_task

pytestmark = pytest.mark.usefixtures("nothing_without_an_owner")

GRACE = 10.0
CUT_OFF = "cut off before it had finished"
LEFT_BEHIND = "refused to be cut off, left behind"


class SlowStore(MemoryStore):
    """Answers no claim before *answering* is set, and remembers what becomes of those who ask."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = asyncio.Event()
        self.asked = 0
        self.gone = 0
        self.patience: float | None = None
        """The seconds it was given for the last writes."""

    async def claim(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
        self.asked += 1
        try:
            await self.answering.wait()
        except asyncio.CancelledError:
            self.gone += 1
            raise
        return await super().claim(task, occurrence)

    async def close(self, patience: float) -> None:
        self.patience = patience


async def drained(scheduler: Scheduler, grace: float = GRACE) -> float:
    """Drain *scheduler* and return how many seconds that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await scheduler.supervisor.drain(grace)
    return loop.time() - began


def outcomes(scheduler: Scheduler) -> list[tuple[str, str | None]]:
    """Return what the store was told of each run."""
    return [(result.status.value, result.error) for result in scheduler.store.results]


async def fail() -> None:
    raise OSError


async def hang() -> None:
    await asyncio.Event().wait()


@pytest.mark.looptime
class TestBeforeTheClaim:
    """The store has not answered yet: nothing has begun."""

    async def test_a_claim_is_given_up_at_once_and_nothing_is_recorded(self) -> None:
        scheduler = Scheduler(make_task(schedule=Every(60)), store=SlowStore())
        await scheduler.supervisor.start()
        await asyncio.sleep(61)
        assert await drained(scheduler) < 0.1
        assert (scheduler.store.asked, scheduler.store.gone) == (1, 1)
        assert (outcomes(scheduler), scheduler.listener.started) == ([], [])

    async def test_so_is_each_claim_of_runs_side_by_side(self) -> None:
        scheduler = Scheduler(make_task(schedule=Every(60), overlap=Overlap.ALLOW, concurrency=3), store=SlowStore())
        await scheduler.supervisor.start()
        await asyncio.sleep(181)
        assert await drained(scheduler) < 0.1
        assert (scheduler.store.asked, scheduler.store.gone) == (3, 3)
        assert (outcomes(scheduler), scheduler.listener.started) == ([], [])

    async def test_a_store_that_does_not_answer_is_not_asked_again(self) -> None:
        class Unavailable(MemoryStore):
            asked = 0

            async def claim(self, task: Task, occurrence: Occurrence, *, term: int | None = None) -> Claim | Refusal:
                self.asked += 1
                raise StoreUnavailable("restarting")

        scheduler = Scheduler(make_task(schedule=Every(60)), store=Unavailable())
        await scheduler.supervisor.start()
        await asyncio.sleep(61)
        asked = scheduler.store.asked
        assert await drained(scheduler) < 0.1
        await asyncio.sleep(60)
        assert scheduler.store.asked == asked > 0

    @pytest.mark.parametrize(
        "task",
        [
            make_task(fail, Every(600), retry=Retry(attempts=3, delay=60)),
            make_task(fail, Every(600), suspend_after=1),
            make_task(fail, Every(600), overlap=Overlap.ALLOW, retry=Retry(attempts=3, delay=60)),
        ],
        ids=["retry", "suspension", "retry beside others"],
    )
    async def test_a_task_that_waits_for_another_try_ends_at_once(self, task: Task) -> None:
        scheduler = Scheduler(task)
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        assert await drained(scheduler) < 0.1
        assert [status for status, _ in outcomes(scheduler)] == ["failed"]

    async def test_a_coroutine_in_quarantine_ends_at_once(self) -> None:
        async def cancels_itself() -> None:
            coroutine = asyncio.current_task()
            assert coroutine
            coroutine.cancel()
            await asyncio.sleep(0)

        scheduler = Scheduler(make_task(cancels_itself, Every(1)))
        await scheduler.supervisor.start()
        await asyncio.sleep(30)
        assert scheduler.supervisor.quarantined == ("task",)
        assert await drained(scheduler) < 0.1


def ends_in_time() -> Callable[[], Awaitable[None]]:
    async def task() -> None:
        await asyncio.sleep(3)

    return task


def ends_when_it_is_told_to() -> Callable[[], Awaitable[None]]:
    async def task() -> None:
        while not current_run().stopping:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.1)

    return task


def awaits_in_finally() -> Callable[[], Awaitable[None]]:
    async def task() -> None:
        try:
            await hang()
        finally:
            await asyncio.sleep(0.5)

    return task


def raises_in_finally() -> Callable[[], Awaitable[None]]:
    async def task() -> None:
        try:
            await hang()
        finally:
            raise LookupError("nothing to clean up")

    return task


def takes_its_cancellation_for_the_end() -> Callable[[], Awaitable[None]]:
    async def task() -> None:
        try:
            await hang()
        except asyncio.CancelledError:
            return

    return task


@pytest.mark.looptime
class TestWhileARunIsAtWork:
    """An async run, and the different ways to take a cancellation."""

    @pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.ALLOW])
    @pytest.mark.parametrize(
        ("behaviour", "outcome", "seconds"),
        [
            (ends_in_time, ("succeeded", None), 2),
            (ends_when_it_is_told_to, ("succeeded", None), 0.1),
            (lambda: hang, ("cancelled", CUT_OFF), 8),
            (awaits_in_finally, ("cancelled", CUT_OFF), 8.5),
            (raises_in_finally, ("failed", "LookupError: nothing to clean up"), 8),
            (takes_its_cancellation_for_the_end, ("succeeded", None), 8),
        ],
        ids=["ends in time", "is told to end", "hangs", "awaits in finally", "raises in finally", "returns"],
    )
    async def test_it_is_recorded_as_what_it_was_and_costs_no_more_time_than_it_must(
        self, behaviour: Callable[[], Any], outcome: tuple[str, str | None], seconds: float, overlap: Overlap
    ) -> None:
        scheduler = Scheduler(make_task(behaviour(), Every(600), overlap=overlap))
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        assert await drained(scheduler) == pytest.approx(seconds, abs=0.11)
        assert outcomes(scheduler) == [outcome]

    @pytest.mark.parametrize("times", [1, 1000], ids=["once", "for ever"])
    async def test_a_run_that_swallows_its_cancellation_is_left_behind_in_time(
        self, times: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        swallowed, release = 0, asyncio.Event()

        async def swallow() -> None:
            nonlocal swallowed
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    swallowed += 1
                    if swallowed > times:
                        raise

        scheduler = Scheduler(make_task(swallow, Every(600)), make_task(hang, Every(600), name="other"))
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        assert await drained(scheduler) <= GRACE
        assert swallowed == 1
        assert "task: refuses to be cancelled, left behind" in caplog.messages
        assert [run.status for run in scheduler.runs("other")] == [RunStatus.CANCELLED]
        assert [(run.status, run.error) for run in scheduler.runs()] == [(RunStatus.CANCELLED, LEFT_BEHIND)]
        release.set()
        await asyncio.sleep(1)
        assert len(scheduler.runs()) == 1, "how it ended after all is nobody's business any more"

    async def test_what_takes_too_long_in_finally_is_left_behind_in_time(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def tidy() -> None:
            try:
                await hang()
            finally:
                await asyncio.sleep(60)

        scheduler = Scheduler(make_task(tidy, Every(600)))
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        assert await drained(scheduler) <= GRACE
        assert "task: refuses to be cancelled, left behind" in caplog.messages
        await asyncio.sleep(60)

    async def test_of_runs_side_by_side_each_is_recorded(self) -> None:
        scheduler = Scheduler(make_task(hang, Every(60), overlap=Overlap.ALLOW, concurrency=3))
        await scheduler.supervisor.start()
        await asyncio.sleep(181)
        await scheduler.supervisor.drain(GRACE)
        assert outcomes(scheduler) == [("cancelled", CUT_OFF)] * 3

    async def test_a_queued_run_does_not_begin_once_the_one_before_has_ended(self) -> None:
        async def slow() -> None:
            await asyncio.sleep(65)

        scheduler = Scheduler(make_task(slow, Every(60), overlap=Overlap.QUEUE))
        await scheduler.supervisor.start()
        await asyncio.sleep(124)
        await scheduler.supervisor.drain(GRACE)
        assert outcomes(scheduler) == [("succeeded", None)]
        assert len(scheduler.listener.started) == 1

    async def test_whoever_cannot_wait_cuts_it_off_at_once(self) -> None:
        scheduler = Scheduler(make_task(hang, Every(600)))
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        asyncio.get_running_loop().call_later(1, scheduler.supervisor.cut_off)
        assert await drained(scheduler) == pytest.approx(1, abs=0.01)
        assert outcomes(scheduler) == [("cancelled", CUT_OFF)]

    async def test_a_drain_that_is_itself_cut_short_leaves_nothing_that_waits(self) -> None:
        scheduler = Scheduler(make_task(hang, Every(600)))
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await scheduler.supervisor.drain(GRACE)
        scheduler.supervisor.cut_off()
        await asyncio.sleep(1)
        assert outcomes(scheduler) == [("cancelled", CUT_OFF)]

    async def test_a_service_is_given_time_to_say_goodbye(self) -> None:
        said = []

        async def link() -> None:
            try:
                await hang()
            finally:
                await asyncio.sleep(3)
                said.append("goodbye")

        scheduler = Scheduler(services=(Service(name="link", function=link),))
        await scheduler.supervisor.start()
        await asyncio.sleep(1)
        assert await drained(scheduler) == pytest.approx(3, abs=0.01)
        assert said == ["goodbye"]


@pytest.mark.looptime
class TestWhileResultsWaitToBeWritten:
    """What is left of the grace belongs to the store."""

    @pytest.mark.parametrize(
        ("seconds", "left"), [(3, 8.0), (None, 2.0)], ids=["they ended early", "they were cut off"]
    )
    async def test_the_store_gets_what_the_runs_have_not_used(self, seconds: float | None, left: float) -> None:
        async def work() -> None:
            await (asyncio.sleep(seconds) if seconds else hang())

        store = SlowStore()
        store.answering.set()
        scheduler = Scheduler(make_task(work, Every(600)), store=store)
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        await scheduler.supervisor.drain(GRACE)
        assert store.patience == pytest.approx(left, abs=0.01)

    async def test_it_gets_its_time_even_if_a_run_refuses_to_be_cancelled(self) -> None:
        release = asyncio.Event()

        async def refuse() -> None:
            while not release.is_set():
                with suppress(asyncio.CancelledError):
                    await release.wait()

        store = SlowStore()
        store.answering.set()
        scheduler = Scheduler(make_task(refuse, Every(600)), store=store)
        await scheduler.supervisor.start()
        await asyncio.sleep(601)
        assert await drained(scheduler, grace=2) <= 2
        assert store.patience == pytest.approx(0.2, abs=0.01)
        release.set()
        await asyncio.sleep(1)


class TestWhileAThreadIsAtWork:
    """A sync run. In real time, because threads know no other."""

    @pytest.fixture
    async def release(self) -> Any:
        """Set by the test, or when it is through, so that no thread outlives it."""
        event = threading.Event()
        yield event
        event.set()

    async def at_work(self, *functions: Callable[[], Any], began: threading.Semaphore, threads: int = 4) -> Scheduler:
        tasks = [
            make_task(function, Every(3600), name=f"task {number}", is_async=False, run_on_start=True)
            for number, function in enumerate(functions)
        ]
        scheduler = Scheduler(*tasks, threads=threads)
        await scheduler.supervisor.start()
        assert await asyncio.to_thread(began.acquire, timeout=10)
        return scheduler

    async def test_one_that_ends_in_time_is_left_to_end(self, release: threading.Event) -> None:
        began = threading.Semaphore(0)

        def work() -> str:
            began.release()
            release.wait()
            return "done"

        scheduler = await self.at_work(work, began=began)
        asyncio.get_running_loop().call_later(0.05, release.set)
        assert await drained(scheduler) < 5
        assert [(run.status, run.value) for run in scheduler.store.results] == [(RunStatus.SUCCEEDED, "done")]

    async def test_one_that_looks_sees_that_it_should_stop(self) -> None:
        began = threading.Semaphore(0)

        def work() -> None:
            began.release()
            while not current_run().stopping:
                time.sleep(0.001)  # a task that polls, as a blocking client would

        scheduler = await self.at_work(work, began=began)
        assert await drained(scheduler) < 5
        assert outcomes(scheduler) == [("succeeded", None)]

    async def test_one_that_waits_for_a_thread_does_not_begin_any_more(self, release: threading.Event) -> None:
        began = threading.Semaphore(0)
        runs = []

        def work() -> None:
            runs.append(1)
            began.release()
            release.wait()

        scheduler = await self.at_work(work, work, began=began, threads=1)
        asyncio.get_running_loop().call_later(0.1, release.set)
        assert await drained(scheduler) < 5
        assert len(runs) == 1
        assert sorted(outcomes(scheduler)) == [
            ("cancelled", "cut off while it waited for a free thread"),
            ("succeeded", None),
        ]

    async def test_one_that_never_ends_is_left_behind_and_recorded_so(self, release: threading.Event) -> None:
        began = threading.Semaphore(0)

        def work() -> None:
            began.release()
            release.wait()

        scheduler = await self.at_work(work, began=began)
        assert await drained(scheduler, grace=0.2) < 2
        assert outcomes(scheduler) == [("cancelled", CUT_OFF)]

    async def test_one_that_has_found_no_thread_never_begins_and_is_recorded_so(self, release: threading.Event) -> None:
        began = threading.Semaphore(0)

        def work() -> None:
            began.release()
            release.wait()

        scheduler = await self.at_work(work, work, began=began, threads=1)
        await scheduler.supervisor.drain(0.2)
        assert sorted(outcomes(scheduler)) == [
            ("cancelled", CUT_OFF),
            ("cancelled", "cut off while it waited for a free thread"),
        ]
        assert not began.acquire(blocking=False)
