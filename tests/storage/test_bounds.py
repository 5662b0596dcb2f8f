"""No call to a database lasts for ever, whatever the network does. The limit is short here, the network is frozen."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from asyncsched.storage.bounds import BoundedConnection
from tests.support.databases import default_database
from tests.support.mariadb import MariaDB
from tests.support.postgres import Postgres
from tests.support.tcp_proxy import TcpProxy

LIMIT = 1.0
SLOW = {"postgres": "SELECT pg_sleep(60)", "mariadb": "SELECT sleep(60)"}


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue(request.param)
    return request.param


@pytest.fixture
def network(server: str, request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[TcpProxy]:
    """What lies between the default database and us."""
    running: Postgres | MariaDB = request.getfixturevalue(server)
    with TcpProxy(running.port) as proxy, django_db_blocker.unblock():
        url = running.url().replace(f":{running.port}/", f":{proxy.port}/")
        with default_database(url, migrate=False):
            yield proxy


def execute(question: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(question)


@contextmanager
def bounded() -> Iterator[BoundedConnection]:
    with closing(BoundedConnection(LIMIT)) as made:
        yield made


@contextmanager
def elsewhere(function: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=function)
    thread.start()
    yield
    thread.join()


class TestOverTheNetwork:
    def test_connecting_ends_by_itself(self, network: TcpProxy) -> None:
        network.freeze()
        with bounded(), pytest.raises(OperationalError):
            connection.ensure_connection()

    def test_a_statement_that_takes_too_long_ends_by_itself(self, network: TcpProxy, server: str) -> None:
        with bounded(), pytest.raises(OperationalError):
            execute(SLOW[server])

    @pytest.mark.parametrize("server", ["mariadb"], indirect=True)
    def test_an_answer_that_does_not_come_is_waited_for_no_longer(self, network: TcpProxy) -> None:
        with bounded():
            execute("SELECT 1")
            network.freeze()
            with pytest.raises(OperationalError):
                execute("SELECT 1")

    @pytest.mark.parametrize("server", ["postgres"], indirect=True)
    def test_on_postgresql_somebody_else_has_to_cut_that_wait_off(self, network: TcpProxy) -> None:
        with bounded() as made:
            execute("SELECT 1")
            network.freeze()
            with elsewhere(made.cut_off), pytest.raises(OperationalError):
                execute("SELECT 1")
            network.heal()
            connection.close()
            execute("SELECT 1")

    def test_there_may_be_nothing_to_cut_off(self, network: TcpProxy) -> None:
        with bounded() as made:
            made.cut_off()
            execute("SELECT 1")
            connection.close()
            made.cut_off()

    def test_the_limits_are_those_of_its_thread_alone(self, network: TcpProxy) -> None:
        before = dict(connections.settings["default"]["OPTIONS"])
        found = []
        with bounded(), elsewhere(lambda: found.append(dict(connection.settings_dict["OPTIONS"]))):
            assert connection.settings_dict["OPTIONS"] != before
        assert found == [before]


def test_a_locked_sqlite_file_is_waited_for_no_longer(sqlite_database: Path) -> None:
    with bounded():
        execute("BEGIN IMMEDIATE")
        errors: list[BaseException] = []
        with elsewhere(lambda: errors.extend(locked_out())):
            pass
        execute("ROLLBACK")
    assert isinstance(errors[0], OperationalError)


def locked_out() -> Iterator[BaseException]:
    with bounded():
        try:
            execute("BEGIN IMMEDIATE")
        except OperationalError as error:
            yield error
