"""The alarm's timers while PostgreSQL is away, or says nothing."""

import asyncio
import logging
from contextlib import suppress

import psycopg
import pytest
from django.db import OperationalError

from alarm import arming, timers
from alarm.board import board
from tests.support.databases import default_database
from tests.support.deadline import eventually
from tests.support.postgres import execute
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
def network(database, postgres, django_db_blocker):
    """The cable between the timers and their database."""
    execute(database, "DELETE FROM alarm_alarmevent")
    execute(database, "DELETE FROM alarm_alarmstate")
    with TcpProxy(postgres.port) as proxy, django_db_blocker.unblock():
        url = database.replace(f":{postgres.port}/", f":{proxy.port}/")
        with default_database(url, migrate=False):
            yield proxy


@pytest.fixture
async def service(network):
    """The timers, at work; they have seen the alarm."""
    task = asyncio.create_task(timers.keep(patience=1.0))
    await eventually(lambda: board.status)
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def make_due(database):
    execute(database, "UPDATE alarm_alarmstate SET state = 'pending', mode = 'away', until = now(), version = 1")


def is_triggered():
    return board.status.state == "triggered"


@pytest.mark.parametrize("outage", ["refuse", "freeze"])
async def test_a_delay_that_ends_in_an_outage_triggers_after_it(service, network, database, caplog, outage):
    caplog.set_level(logging.INFO, logger="alarm.timers")
    getattr(network, outage)()
    await eventually(lambda: "outage" in caplog.text)
    make_due(database)
    network.heal()

    await eventually(is_triggered)
    await eventually(lambda: "works again" in caplog.text)
    assert caplog.text.count("outage:") == 1
    assert execute(database, "SELECT kind FROM alarm_alarmevent") == [("triggered",)]


def test_an_alarm_that_a_frozen_machine_has_locked_makes_nobody_wait_for_ever(network, database):
    arming.current()
    make_due(database)
    with psycopg.connect(database) as frozen:
        frozen.execute("SELECT 1 FROM alarm_alarmstate FOR UPDATE")
        with pytest.raises(OperationalError, match="lock timeout"):
            timers.look()

    timers.look()
    assert is_triggered()
