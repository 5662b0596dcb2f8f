"""One scheduler in a process, however often it is asked for."""

import asyncio

import pytest

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
