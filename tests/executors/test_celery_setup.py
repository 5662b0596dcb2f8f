"""What keeps runs from being handed off to Celery is said in one sentence, before any is."""

import importlib
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from asyncsched.engine.runs import RunStatus
from asyncsched.errors import ConfigurationError
from asyncsched.executors.celery import CeleryExecutor
from asyncsched.executors.configured import Setup
from asyncsched.registry import Registry
from asyncsched.storage.store import DjangoStore
from tests.executors.stage import PROJECT, Stage, errand
from tests.support import django_process


def executor(**options: Any) -> CeleryExecutor:
    return CeleryExecutor(Setup(name="celery", replica="here", options=options))


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"app": "os.path"}, "OPTIONS['app'] must be the dotted path of a Celery app, but is 'os.path'"),
        ({"app": 3}, "OPTIONS['app'] must be the dotted path of a Celery app, but is 3"),
        ({"app": Celery(set_as_current=False, fixups=[]), "queue": 3}, "OPTIONS['queue'] must be the name of a queue"),
        ({"brooker": "redis://"}, "OPTIONS has 'brooker', which is no option; known are app, beat, queue"),
    ],
    ids=["module", "number", "queue", "unknown"],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        executor(**options)
    assert str(error.value).startswith(refusal)


def test_a_project_without_celery_app_is_told_by_the_check_how_to_name_one(folder: Path) -> None:
    paths = {"PYTHONPATH": f"{PROJECT}:{django_process.ROOT / 'backend'}", "DJANGO_SETTINGS_MODULE": "settings"}
    environment = django_process.environment("sqlite://:memory:", ERRANDS_EXECUTOR="celery", **paths)
    command = [sys.executable, "manage.py", "check"]
    checked = subprocess.run(
        command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )
    assert checked.returncode == 1
    assert "task 'answers'" in checked.stderr
    assert "executor='celery' cannot be used: finds no Celery app" in checked.stderr
    assert "asyncsched.E002" in checked.stderr


def test_without_celery_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asyncsched.executors.celery")
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(ImportError, match=r"^needs Celery: pip install 'asyncsched\[celery\]'$"):
        importlib.import_module("asyncsched.executors.celery")


@pytest.fixture
async def eager(shared_database: str, nothing_left: None) -> AsyncIterator[Stage]:
    """A stage whose Celery app runs tasks where they are sent from."""
    app = Celery("eager", set_as_current=False, fixups=[])
    app.conf.task_always_eager = True
    store = DjangoStore(now=lambda: datetime.now(UTC))
    setup = Setup(name="celery", replica=store.replica, options={"app": app})
    stage = Stage(executor=CeleryExecutor(setup), store=store)
    yield stage
    await stage.close()


async def test_an_app_that_is_eager_runs_tasks_in_this_process(eager: Stage, known: Registry) -> None:
    known.add(errand("answers"))
    result = await eager.run("answers")
    assert (result.status, result.value) == (RunStatus.SUCCEEDED, "42")
