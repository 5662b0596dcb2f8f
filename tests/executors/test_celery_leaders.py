"""A run on Celery outlives the servers that have it carried out: here under real ones, which stop and are killed."""

import json
import signal
import uuid

from asyncsched.models import HandOff, TaskRun
from tests.executors.celery_site import CelerySite
from tests.executors.project.errands import notes
from tests.executors.stage import PROJECT
from tests.support.servers import DAPHNE, Server

OPTIONS = {"app": "celery_app.app", "queue": "errands", "beat": 1.0}
SETTINGS = {"LEASE_SECONDS": 2, "EXECUTORS": {"celery": {"OPTIONS": OPTIONS}}}


def server(site: CelerySite, **environment: str) -> Server:
    """Return a server of the project, not yet started."""
    environment = site.environment | {"ERRANDS_ASYNCSCHED": json.dumps(SETTINGS)} | environment
    return Server(DAPHNE, folder=site.folder, project=PROJECT, environment=environment)


def test_a_run_goes_on_while_one_leader_stops_and_the_next_is_killed_and_the_third_records_it_once(
    celery_site: CelerySite, celery_worker: Server
) -> None:
    runs, handoffs = TaskRun.objects.filter(task="holds"), HandOff.objects.filter(task="holds")
    with server(celery_site, ERRANDS_ON_START="holds") as first:
        first.wait_until(lambda: any(notes.noted(run.run_id.hex) for run in runs.all()))
        run_id: uuid.UUID = runs.get().run_id
        assert first.stop() == 0
        assert handoffs.get().owner == ""
    with server(celery_site) as second:
        second.wait_until(lambda: handoffs.get().owner)
        owner = handoffs.get().owner
        second.stop(signal.SIGKILL)
    with server(celery_site) as third:
        third.wait_until(lambda: handoffs.get().owner not in ("", owner))
        notes.let_go_on(run_id.hex)
        third.wait_until(lambda: runs.get().status == "succeeded")
        assert third.stop() == 0
        assert third.leaks == []
    run = runs.get()
    assert (run.run_id, run.result, run.attempt) == (run_id, "held", 1)
    assert [line["event"] for line in notes.noted(run_id.hex)] == ["began", "ended"]
