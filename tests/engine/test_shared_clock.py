"""The time that all processes share: the database's, going on with the monotonic clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from asyncsched.engine.shared_clock import SharedClock
from asyncsched.testing import VirtualClock

pytestmark = pytest.mark.looptime

START = datetime(2026, 1, 1, tzinfo=UTC)
HALF_A_MINUTE = timedelta(seconds=30)


async def test_until_it_is_told_it_shows_the_machines_time() -> None:
    own = VirtualClock(START)
    clock = SharedClock(own)
    own.set_back(10)
    assert clock.now() == own.now()
    assert await clock.stepped() == -10


async def test_once_told_it_goes_by_that_and_the_monotonic_clock() -> None:
    clock = SharedClock(VirtualClock(START))
    clock.tell(START + HALF_A_MINUTE, at=clock.monotonic())
    await asyncio.sleep(5)
    assert clock.now() == START + timedelta(seconds=35)


async def test_being_told_of_another_time_is_a_step() -> None:
    clock = SharedClock(VirtualClock(START))
    stepped = asyncio.create_task(clock.stepped())
    await asyncio.sleep(1)
    clock.tell(START + HALF_A_MINUTE, at=0.0)
    assert await stepped == 30


async def test_what_is_told_before_anybody_went_by_the_time_is_no_step() -> None:
    clock = SharedClock(VirtualClock(START))
    clock.tell(START + HALF_A_MINUTE, at=0.0)
    stepped = asyncio.create_task(clock.stepped())
    await asyncio.sleep(5)
    assert not stepped.done()
    stepped.cancel()


async def test_setting_the_machines_clock_is_then_no_step() -> None:
    own = VirtualClock(START)
    clock = SharedClock(own)
    clock.tell(START, at=0.0)
    stepped = asyncio.create_task(clock.stepped())
    await asyncio.sleep(1)
    own.set_back(3600)
    await asyncio.sleep(5)
    assert clock.now() == START + timedelta(seconds=6)
    assert not stepped.done()
    stepped.cancel()


async def test_small_corrections_come_about_without_a_word() -> None:
    clock = SharedClock(VirtualClock(START))
    clock.tell(START, at=0.0)
    stepped = asyncio.create_task(clock.stepped())
    clock.tell(START + timedelta(seconds=0.2), at=0.0)
    await asyncio.sleep(5)
    assert clock.now() == START + timedelta(seconds=5.2)
    assert not stepped.done()
    stepped.cancel()


async def test_what_lies_within_the_margin_of_a_measurement_changes_nothing() -> None:
    clock = SharedClock(VirtualClock(START))
    clock.tell(START, at=0.0)
    await asyncio.sleep(5)
    clock.tell(START + timedelta(seconds=5.02), at=5.0, margin=0.03)
    assert clock.now() == START + timedelta(seconds=5)
    clock.tell(START + timedelta(seconds=5.04), at=5.0, margin=0.03)
    assert clock.now() == START + timedelta(seconds=5.04)
