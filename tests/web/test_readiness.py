"""What probes are told."""

import contextlib

import pytest

from asyncsched.engine.clock import SystemClock
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.keeper import Intensity
from asyncsched.engine.supervisor import Supervisor
from asyncsched.registry import Service
from asyncsched.server.host import Host, State
from asyncsched.storage.memory import MemoryStore
from asyncsched.web.health import health_of, readiness
from tests.support.deadline import eventually
from tests.support.servers import Response
from tests.support.site import Site


def host_in(state):
    host = Host()
    host.state = state
    return {"asyncsched": host}


@pytest.mark.parametrize("state", [State.RUNNING, State.DISABLED])
def test_a_process_that_schedules_or_need_not_is_ready(state):
    assert readiness(host_in(state)) == {"ready": True, "state": state.value, "quarantined": []}


@pytest.mark.parametrize("state", [State.IDLE, State.STARTING, State.DRAINING, State.STOPPED, State.FAILED])
def test_any_other_process_is_not(state):
    assert readiness(host_in(state)) == {"ready": False, "state": state.value, "quarantined": []}


def test_a_process_no_scheduler_was_asked_for_is_idle():
    assert readiness({}) == {"ready": False, "state": "idle", "quarantined": []}
    assert health_of({}) is None


async def test_a_quarantined_service_makes_the_process_unready():
    async def broken():
        raise OSError("no such broker")

    supervisor = Supervisor(
        (),
        (Service(name="broken", function=broken),),
        clock=SystemClock(),
        store=MemoryStore(),
        executor=LocalExecutor(1, sync_scope=contextlib.nullcontext, async_scope=contextlib.nullcontext),
        intensity=Intensity(restarts=1, seconds=60),
    )
    host = Host()
    host.supervisor, host.state = supervisor, State.RUNNING
    await supervisor.start()
    try:
        await eventually(lambda: not readiness({"asyncsched": host})["ready"])
    finally:
        await supervisor.drain(1)

    assert readiness({"asyncsched": host})["quarantined"] == ["broken"]


def test_a_running_server_is_healthy_and_ready(site):
    healthy, ready = site.server.get("/healthz"), site.server.get("/readyz")

    assert healthy == Response(status=200, body="ok\n")
    assert ready == Response(status=200, body='{"ready": true, "state": "running", "quarantined": []}')


def test_a_server_without_scheduler_is_ready_too(people, tmp_path):
    with Site(tmp_path / "site", people, SCHEDULER_ENABLED="0") as site:
        ready = site.server.get("/readyz")

    assert ready == Response(status=200, body='{"ready": true, "state": "disabled", "quarantined": []}')
