"""The thread that speaks to the database: a network that swallows everything holds it up once."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from asyncsched.errors import StoreUnavailable
from asyncsched.storage.thread import DatabaseThread
from tests.support.databases import default_database
from tests.support.postgres import Postgres
from tests.support.tcp_proxy import TcpProxy

PATIENCE = 1.0


class Nothing:
    def run_due(self) -> float:
        return 60.0


@pytest.fixture
def network(postgres: Postgres, django_db_blocker: Any) -> Iterator[TcpProxy]:
    with TcpProxy(postgres.port) as proxy, django_db_blocker.unblock():
        url = postgres.url().replace(f":{postgres.port}/", f":{proxy.port}/")
        with default_database(url, migrate=False):
            yield proxy


def ask() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 42")
        return cursor.fetchone()[0]


async def test_who_waits_is_told_in_time_and_who_comes_next_is_answered(network: TcpProxy) -> None:
    thread = DatabaseThread(Nothing(), patience=PATIENCE)
    assert await thread.call(ask) == 42
    network.freeze()
    with pytest.raises(StoreUnavailable, match="did not answer within 1 s"):
        await thread.call(ask)
    assert await thread.call(lambda: "free again", within=10 * PATIENCE) == "free again"
    network.heal()
    assert await thread.call(ask, within=10 * PATIENCE) == 42
    assert await thread.stop(lambda: None, 10)


async def test_who_waits_behind_others_that_are_answered_waits_its_turn_however_long_that_is() -> None:
    thread, turns = DatabaseThread(patience=PATIENCE), threading.Semaphore(0)

    async def let_one_after_the_other_be_answered() -> None:
        for _ in range(5):
            await asyncio.sleep(PATIENCE / 2)
            turns.release()

    calls = [asyncio.create_task(thread.call(turns.acquire)) for _ in range(5)]
    await let_one_after_the_other_be_answered()
    assert await asyncio.gather(*calls) == [True] * 5
    assert await thread.stop(lambda: None, 10)


async def test_where_nobody_is_answered_all_are_told_at_the_same_time() -> None:
    thread, turns = DatabaseThread(patience=PATIENCE), threading.Semaphore(0)
    calls = [asyncio.create_task(thread.call(turns.acquire)) for _ in range(5)]
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in told] == [StoreUnavailable] * 5
    turns.release()  # what was asked last is not begun any more
    assert await thread.stop(lambda: None, 10)


async def test_an_answer_that_comes_in_the_moment_the_caller_goes_is_taken_back() -> None:
    thread, taken_back, is_over = DatabaseThread(), [], threading.Event()
    asking = asyncio.create_task(thread.call(lambda: "a claim", undo=taken_back.append))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    thread.do(lambda: loop.call_soon_threadsafe(asking.cancel))
    thread.do(is_over.set)
    is_over.wait(10)  # the answer and the cancellation now wait for the loop, in this order
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await thread.stop(lambda: None, 10)
    assert taken_back == ["a claim"]


async def test_housekeeping_of_several_is_done_by_one_thread() -> None:
    class Chore:
        done = 0

        def run_due(self) -> float:
            self.done += 1
            return 60.0

    one, other = Chore(), Chore()
    thread = DatabaseThread(one, other)
    await thread.call(lambda: None)
    assert await thread.stop(lambda: None, 10)
    assert one.done == other.done > 0
