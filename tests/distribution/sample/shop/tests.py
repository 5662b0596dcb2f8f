"""Tests with the kit: the fixture, and its parts."""

from datetime import UTC, datetime, timedelta
from typing import assert_type

from asyncsched import RunStatus
from asyncsched.testing import MemoryStore, RecordingListener, Runs, VirtualClock, VirtualRun, VirtualScheduler
from shop.tasks import sweep


def test_a_month(scheduler: VirtualScheduler) -> None:
    scheduler.start("sweep", at=datetime(2026, 3, 1, tzinfo=UTC))
    runs: Runs = scheduler.run(days=31)
    assert_type(runs[0], VirtualRun)
    assert [run.status for run in runs.of("sweep")] == [RunStatus.SUCCEEDED] * 31
    assert not runs.skips
    scheduler.stop(grace=1)
    assert sweep() is None


def test_a_simulation() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    runs = VirtualScheduler.simulate("sweep", start=start, end=start + timedelta(days=1))
    assert_type(runs, Runs)


async def test_the_parts() -> None:
    clock, store, listener = VirtualClock(), MemoryStore(), RecordingListener()
    assert_type(clock.now(), datetime)
    store.pause("sweep")
    await listener.wait_for(lambda told: bool(told.finished))
