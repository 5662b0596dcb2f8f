"""The thread that speaks to the database: a network that swallows everything holds it up once."""

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
