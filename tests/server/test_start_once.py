"""One scheduler in a process, however often it is asked for."""

import asyncio

import pytest

from asyncsched.errors import ConfigurationError
from asyncsched.server.host import Host, State


@pytest.mark.django_db(transaction=True)
async def test_whoever_asks_second_waits_for_the_first() -> None:
    host = Host()
    first = asyncio.create_task(host.start())
    second = asyncio.create_task(host.start())
    await second
    assert (first.done(), host.state) == (True, State.RUNNING)
    supervisor = host.supervisor
    await host.start()
    assert host.supervisor is supervisor
    await host.stop()
    assert host.state is State.STOPPED


@pytest.mark.django_db(transaction=True)
async def test_after_a_stop_it_can_be_started_again() -> None:
    host = Host()
    await host.start()
    await host.stop()
    await host.start()
    assert host.state is State.RUNNING
    await host.stop()


async def test_a_start_that_fails_fails_for_everybody_who_asked(settings) -> None:
    settings.ASYNCSCHED = {"NONSENSE": 1}
    host = Host()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="NONSENSE"):
            await host.start()
    assert host.state is State.FAILED
