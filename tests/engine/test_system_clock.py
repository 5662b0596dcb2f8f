"""The machine's clock: who sets it is noticed, and until then nobody is woken."""

import asyncio
import os
import select
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from asyncsched.engine.clock import SystemClock, kernel_alarm
from asyncsched.engine.timer import HAS_TIMERS, SetAlarm
from tests.support.deadline import eventually

HOUR = timedelta(hours=1)


class Bell:
    """What tells that the clock may have been set, rung by the test."""

    def __init__(self) -> None:
        self._ringing, self._hearing = socket.socketpair()
        self._hearing.setblocking(False)
        self.is_closed = False

    def ring(self) -> None:
        self._ringing.send(b"!")

    def fileno(self) -> int:
        return self._hearing.fileno()

    def clear(self) -> None:
        self._hearing.recv(100)

    def close(self) -> None:
        self.is_closed = True
        self._ringing.close()
        self._hearing.close()


@pytest.fixture
def wall() -> Iterator[Any]:
    with time_machine.travel(datetime.now(UTC), tick=True) as wall:
        yield wall


async def test_a_step_is_told_with_its_length_as_soon_as_the_alarm_rings(wall: Any) -> None:
    bell = Bell()
    stepped = asyncio.create_task(SystemClock(lambda: bell).stepped())
    await asyncio.sleep(0)
    wall.shift(-HOUR)
    bell.ring()
    assert await stepped == pytest.approx(-HOUR.total_seconds(), abs=0.4)
    assert bell.is_closed


async def test_less_than_anybody_notices_is_no_step_and_does_not_add_up(wall: Any) -> None:
    bell = Bell()
    stepped = asyncio.create_task(SystemClock(lambda: bell).stepped())
    await asyncio.sleep(0)
    for _ in range(3):
        wall.shift(timedelta(seconds=0.3))
        bell.ring()
        await eventually(lambda: not select.select([bell], [], [], 0)[0])
        await asyncio.sleep(0)
    assert not stepped.done()
    stepped.cancel()
    await asyncio.wait([stepped])
    assert bell.is_closed


async def test_a_step_while_the_one_before_is_dealt_with_is_told_as_well(wall: Any) -> None:
    clock = SystemClock(lambda: None)
    stepped = asyncio.create_task(clock.stepped())
    await asyncio.sleep(0)
    wall.shift(HOUR)
    await stepped
    wall.shift(HOUR)
    async with asyncio.timeout(10):
        assert await clock.stepped() == pytest.approx(HOUR.total_seconds(), abs=0.4)


async def test_where_no_alarm_tells_it_looks(wall: Any) -> None:
    stepped = asyncio.create_task(SystemClock(lambda: None).stepped())
    await asyncio.sleep(0)
    wall.shift(HOUR)
    async with asyncio.timeout(10):
        assert await stepped == pytest.approx(HOUR.total_seconds(), abs=0.4)


def test_a_clock_that_tests_turn_has_no_alarm_of_the_kernel() -> None:
    assert kernel_alarm() is None  # time_machine is imported


@pytest.mark.skipif(not HAS_TIMERS, reason="only Linux tells when its clock is set")
def test_the_kernel_takes_the_alarm_and_keeps_quiet_while_nobody_sets_the_clock() -> None:
    alarm = SetAlarm.create()
    assert alarm is not None
    assert select.select([alarm], [], [], 0) == ([], [], [])
    alarm.clear()
    alarm.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(alarm.fileno())
