"""A broker that goes away, and comes back without what it held, costs time and no run.

Its workers do not survive that, or no longer listen: with Redis they may end, or hang. Here they are started
afterwards, as a process manager would.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asyncsched import Every
from asyncsched.engine.runs import RunStatus
from asyncsched.executors.celery import LAST_RESORT
from tests.executors.celery_site import CelerySite
from tests.executors.stage import Stage, errand
from tests.support.deadline import eventually
from tests.support.valkey import running_valkey

pytestmark = pytest.mark.e2e


@pytest.fixture
def site(folder: Path, shared_database: str, nothing_left: None) -> Iterator[CelerySite]:
    with running_valkey() as broker:
        yield CelerySite(valkey=broker, folder=folder, database_url=shared_database)


@pytest.fixture
async def stage(site: CelerySite) -> AsyncIterator[Stage]:
    stage = site.stage(beat=0.25)
    yield stage
    await stage.close()


async def test_a_message_tells_celery_the_runs_id_its_time_limits_and_until_when_it_is_of_use(
    site: CelerySite, stage: Stage
) -> None:
    hourly = errand("answers", schedule=Every(3600))
    run = await stage.begin(hourly)
    limited = await stage.begin(errand("says_nothing", timeout=90))
    await eventually(lambda: site.waiting("errands") == 2)
    with site.broker as broker:
        told = [json.loads(message)["headers"] for message in broker.lrange("errands", 0, -1)]
    of_run, of_limited = sorted(told, key=lambda headers: headers["shadow"])
    assert (of_run["id"], of_limited["id"]) == (run.id, limited.id)
    assert {of_run["task"], of_limited["task"]} == {"asyncsched.run"}
    due = run.claim.occurrence.scheduled_for
    assert datetime.fromisoformat(of_run["expires"]) == hourly.schedule.next_after(due)
    assert of_run["timelimit"] == [None, None]
    assert of_limited["timelimit"] == [90 + LAST_RESORT, 90]
    assert datetime.fromisoformat(of_limited["expires"]) <= datetime.now(UTC) + timedelta(seconds=90)
    for going in (run, limited):
        going.performing.cancel()
        assert (await going.result()).error == "cut off while it waited for a free worker"


async def test_a_message_that_the_broker_has_lost_is_sent_again_and_the_run_takes_place(
    site: CelerySite, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    run = await stage.begin("answers")
    await eventually(lambda: site.waiting("errands") == 1)
    site.valkey.stop()
    site.valkey.start()
    assert site.waiting("errands") == 0
    await eventually(lambda: site.waiting("errands"))
    assert "answers: no worker has picked it up so far, it is sent once more" in caplog.text
    with site.worker(processes=1):
        assert (await run.result()).status is RunStatus.SUCCEEDED
    assert run.notes == ["ran"]


async def test_a_run_waits_for_a_broker_that_is_down_and_the_log_says_so_once(
    site: CelerySite, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    site.valkey.stop()
    run = await stage.begin("answers")
    await eventually(lambda: "answers: cannot be sent now, it is tried again: OperationalError" in caplog.text)
    site.valkey.start()
    with site.worker(processes=1):
        assert (await run.result()).status is RunStatus.SUCCEEDED
    assert run.notes == ["ran"]
    assert caplog.text.count("cannot be sent now") == 1
    assert caplog.text.count("can be sent again") == 1
