"""Runs that are enqueued as Django's tasks, where workers are late, die, or are not wanted any more."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from django.test import override_settings

from asyncsched import Every
from asyncsched.engine.runs import RunStatus
from asyncsched.errors import ConfigurationError
from asyncsched.registry import Registry
from tests.executors.django_tasks_site import DjangoTasksSite, tasks_in_settings
from tests.executors.stage import Stage, errand
from tests.support.deadline import eventually

pytestmark = pytest.mark.e2e

IN_A_HURRY = 0.2
"""Seconds between two beats. After twelve of them a run is enqueued again, and a silent worker taken for dead."""

Stages = Callable[..., Stage]


@pytest.fixture(scope="module")
def site(folder: Path, shared_database: str) -> Iterator[DjangoTasksSite]:
    with tasks_in_settings():
        yield DjangoTasksSite(folder=folder, database_url=shared_database)


@pytest.fixture
async def stages(site: DjangoTasksSite, nothing_left: None) -> AsyncIterator[Stages]:
    """A factory of stages with an executor of the given options."""
    made: list[Stage] = []

    def make(**options: Any) -> Stage:
        made.append(site.stage(**options))
        return made[-1]

    yield make
    for stage in made:
        await stage.close()


def queued() -> list[Any]:
    """Return the tasks in the table of the database backend that no worker has begun."""
    from django_tasks_db.models import DBTaskResult

    return list(DBTaskResult.objects.ready())


@pytest.fixture(autouse=True)
def nothing_queued(site: DjangoTasksSite) -> Iterator[None]:
    from django_tasks_db.models import DBTaskResult

    yield
    DBTaskResult.objects.all().delete()


async def test_a_run_is_enqueued_in_the_queue_and_with_the_priority_of_the_options(stages: Stages) -> None:
    run = await stages(queue_name="heavy", priority=7).begin("answers")
    (task,) = await eventually(lambda: asyncio.to_thread(queued))
    assert (task.queue_name, task.priority) == ("heavy", 7)
    run.performing.cancel()
    await run.result()


async def test_a_backend_that_runs_tasks_at_once_runs_it_in_the_scheduler_s_process(
    stages: Stages, known: Registry
) -> None:
    known.add(errand("answers"))
    run = await stages(backend="immediate").begin("answers")
    assert (await run.result()).value == "42"
    assert run.process == os.getpid()


async def test_a_run_that_no_worker_begins_before_the_next_is_due_has_failed(stages: Stages) -> None:
    soon = Every(3600, offset=(time.time() + 3) % 3600)
    result = await stages(backend="dummy").run(errand("answers", schedule=soon))
    assert result.status is RunStatus.FAILED
    assert (result.error or "").startswith("no worker picked it up before ")


async def test_a_worker_that_comes_later_does_nothing_with_a_run_that_was_cut_off(
    site: DjangoTasksSite, stages: Stages
) -> None:
    run = await stages().begin("answers")
    await eventually(lambda: asyncio.to_thread(queued))
    run.performing.cancel()
    assert (await run.result()).error == "cut off while it waited for a free worker"
    with site.worker() as worker:
        await asyncio.to_thread(worker.wait_until_logged, "answers: not begun")
    assert run.notes == []


async def test_of_several_tasks_that_are_enqueued_for_a_run_one_does_it(site: DjangoTasksSite, stages: Stages) -> None:
    run = await stages(beat=IN_A_HURRY).begin("answers")  # it is enqueued again as long as no worker comes
    await eventually(lambda: asyncio.to_thread(lambda: len(queued()) >= 2))
    with site.worker() as worker:
        assert (await run.result()).value == "42"
        await asyncio.to_thread(worker.wait_until_logged, "answers: not begun")
    assert run.notes == ["ran"]


async def test_a_run_whose_worker_is_killed_is_abandoned_and_not_begun_again(
    site: DjangoTasksSite, stages: Stages
) -> None:
    with site.worker():
        run = await stages(beat=IN_A_HURRY).begin("holds")
        await run.noted("began")
        os.kill(run.process, signal.SIGKILL)
        result = await run.result()
    assert (result.status, result.error) == (RunStatus.ABANDONED, "its worker ended without a word")
    assert run.notes == ["began"]


async def test_a_run_goes_on_while_who_leads_changes(site: DjangoTasksSite, stages: Stages) -> None:
    before, after = stages(), stages()
    with site.worker():
        run = await before.begin("holds")
        await run.noted("began")
        before.runner.ask_to_stop()
        await asyncio.wait([run.performing])
        await before.close()
        await after.store.load([errand("holds", executor="tasks")])
        (claim,) = await eventually(after.store.take_over)
        adopted = await after.begin("holds", claim=claim)
        adopted.let_go_on()
        result = await adopted.result()
    assert (result.status, result.value, adopted.id) == (RunStatus.SUCCEEDED, "held", run.id)
    assert adopted.notes == ["began", "ended"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"backend": "nowhere"}, "does not suit settings.TASKS: The connection 'nowhere' doesn't exist"),
        ({"queue_name": "nowhere"}, "does not suit settings.TASKS: Queue 'nowhere' is not valid for backend"),
        ({"priority": 1000}, "does not suit settings.TASKS: priority must be a whole number between -100 and 100"),
        ({"queue": "heavy"}, "OPTIONS has 'queue', which is no option; known are backend, beat, priority, queue_name"),
    ],
)
def test_a_bad_option_is_named(stages: Stages, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        stages(**options)
    assert str(raised.value).startswith(complaint)


def test_without_tasks_in_the_settings_there_is_nowhere_to_send_runs(stages: Stages) -> None:
    unset = getattr(global_settings, "TASKS", None)
    with override_settings(TASKS=unset), pytest.raises(ConfigurationError, match=r"needs settings\.TASKS"):
        stages()
