"""A bell wakes a service from any thread."""

import asyncio
import threading

import pytest

from asyncsched import Bell

pytestmark = pytest.mark.looptime


async def test_a_ring_from_another_thread_wakes_who_waits():
    bell = Bell()
    waiting = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)
    thread = threading.Thread(target=bell.ring)
    thread.start()
    thread.join()
    assert await waiting


async def test_a_ring_before_the_wait_is_not_lost():
    bell = Bell()
    bell.ring()
    assert await bell.wait(1)


async def test_rings_before_the_wait_are_one():
    bell = Bell()
    bell.ring()
    bell.ring()
    assert await bell.wait(1)
    assert not await bell.wait(1)


async def test_without_a_ring_it_returns_after_the_timeout():
    bell = Bell()
    before = asyncio.get_running_loop().time()
    assert not await bell.wait(5)
    assert asyncio.get_running_loop().time() - before == 5


async def test_a_ring_wakes_everybody_who_waits():
    bell = Bell()
    waiting = [asyncio.create_task(bell.wait(1)) for _ in range(2)]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waiting) == [True, True]


async def test_who_was_cancelled_while_waiting_takes_no_ring_away():
    bell = Bell()
    waiting = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    bell.ring()
    assert await bell.wait(1)
