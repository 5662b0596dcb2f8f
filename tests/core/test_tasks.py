"""The scheduler's own task: history does not grow for ever."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from asyncsched import Every, Scope
from asyncsched.engine.runs import RunStatus
from asyncsched.models import TaskRun
from asyncsched.registry import registry
from asyncsched.tasks import prune_history
from asyncsched.testing import VirtualScheduler

pytestmark = pytest.mark.django_db

NAME = "asyncsched.prune_history"


def add_runs(*days_ago: float) -> None:
    for days in days_ago:
        at = timezone.now() - timedelta(days=days)
        TaskRun.objects.create(
            run_id=uuid.uuid4(), task="any", status="succeeded", trigger="schedule", scheduled_for=at, started_at=at
        )


def test_it_is_registered_once_an_hour_and_for_one_process() -> None:
    task = registry.get(NAME)
    assert task.schedule == Every(seconds=3600)
    assert (task.kind, task.options.scope, task.options.enabled) == ("sync", Scope.CLUSTER, True)
    assert task.options.description.startswith("Delete runs and skips that are too old or too many")


def test_it_goes_by_the_settings(settings: Any) -> None:
    add_runs(0, 1, 2, 3, 9)
    settings.ASYNCSCHED = {"HISTORY_DAYS": 5, "HISTORY_RUNS": 2}
    assert prune_history() == 3
    assert TaskRun.objects.count() == 2


def test_0_keeps_everything(settings: Any) -> None:
    add_runs(0, 1, 400)
    settings.ASYNCSCHED = {"HISTORY_DAYS": 0, "HISTORY_RUNS": 0}
    assert prune_history() == 0


def test_it_runs_in_the_scheduler_and_tells_how_many_rows_went(scheduler: VirtualScheduler) -> None:
    scheduler.start(NAME)  # from now on it is another time
    add_runs(31, 100)
    (run,) = scheduler.run(hours=1)
    assert (run.status, run.value) == (RunStatus.SUCCEEDED, "2")
