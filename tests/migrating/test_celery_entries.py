"""What Celery beat sends, as tasks: the call, the options, and what is left out."""

import json
import subprocess
import sys
from datetime import timedelta
from types import ModuleType

import pytest
from celery import Celery, Task
from celery.beat import ScheduleEntry
from celery.schedules import crontab

from asyncsched import Retry
from asyncsched.migrating import celery_beat
from asyncsched.migrating.code import text_of
from asyncsched.migrating.found import Found, LeftOut, NotThere, Topic
from tests.migrating.side_by_side import ROOT

NO_APP = """
import json, sys
import django
from django.conf import settings

schedule = {"daily": {"task": "warehouse.count", "schedule": 60}}
settings.configure(INSTALLED_APPS=["asyncsched"], CELERY_BEAT_SCHEDULE=schedule)
django.setup()
from asyncsched.migrating import celery_beat

json.dump([one.problem for one in celery_beat.read([])], sys.stdout)
"""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Celery:
    """An app that lies at ``sent:app``; its tasks are in that module, too."""
    module = ModuleType("sent")
    monkeypatch.setitem(sys.modules, "sent", module)
    module.app = Celery("shop", broker="memory://", set_as_current=False)
    return module.app


def add(app: Celery, function: object, **options: object) -> None:
    """Make *function* a task of the module ``sent``."""
    function.__module__ = "sent"
    setattr(sys.modules["sent"], function.__name__, app.task(shared=False, **options)(function))


def send(app: Celery, task: str = "sent.refresh", **entry: object) -> Found | LeftOut:
    """Return what becomes of an entry that sends *task* once a day."""
    app.conf.beat_schedule = {"daily": {"task": task, "schedule": crontab(hour=12, minute=0), **entry}}
    (found,) = celery_beat.read(["sent:app"])
    return found


def refresh(what: str = "") -> None:
    """Ask the wholesaler."""


def options(found: Found) -> dict[str, str]:
    return {name: text_of(value) for name, value in found.options.items()}


def test_the_task_is_called_where_it_is_defined_with_the_arguments_of_the_entry(app: Celery) -> None:
    add(app, refresh)
    found = send(app, kwargs={"what": "wine"})
    assert (found.name, found.call.text, found.description) == (
        "daily",
        'sent.refresh(what="wine")',
        "Ask the wholesaler.",
    )


def test_a_task_that_lies_in_no_module_is_called_by_way_of_the_app(app: Celery) -> None:
    class Refresh(Task):
        """Ask the wholesaler."""

        name = "refresh"

        def run(self) -> None:
            """Ask the wholesaler."""

    app.register_task(Refresh())
    found = send(app, "refresh")
    assert (found.call.text, found.call.imports) == (
        'current_app.tasks["refresh"]()',
        ("from celery import current_app",),
    )


@pytest.mark.parametrize(
    ("task", "entry", "becomes"),
    [
        ({}, {}, {}),
        ({}, {"options": {"expires": 60}}, {"catch_up_window": "timedelta(seconds=60)"}),
        ({"time_limit": 30, "soft_time_limit": 20}, {}, {"timeout": "20"}),
        ({}, {"options": {"time_limit": 30}}, {"timeout": "30"}),
        (
            {"autoretry_for": (OSError,), "max_retries": 4, "retry_backoff": 2},
            {},
            {"retry": text_of(Retry(attempts=5, delay=2, max_delay=600))},
        ),
        (
            {"autoretry_for": (OSError,), "retry_kwargs": {"max_retries": 1, "countdown": 10}},
            {},
            {"retry": text_of(Retry(attempts=2, delay=10, factor=1))},
        ),
    ],
    ids=str,
)
def test_options_of_task_and_entry_become_ours(
    app: Celery, task: dict[str, object], entry: dict[str, object], becomes: dict[str, str]
) -> None:
    add(app, refresh, **task)
    assert options(send(app, **entry)) == becomes


def test_a_task_that_is_retried_without_end_has_a_remark(app: Celery) -> None:
    add(app, refresh, autoretry_for=(OSError,), max_retries=None)
    assert "100 are written" in send(app).remarks[0]


def test_an_option_without_a_counterpart_has_a_remark(app: Celery) -> None:
    add(app, refresh)
    assert send(app, options={"countdown": 10, "queue": "slow"}).remarks == (
        "Its option countdown=10 has no counterpart here.",
    )


def test_without_an_app_anywhere_the_settings_are_read() -> None:
    (told,) = json.loads(subprocess.check_output([sys.executable, "-c", NO_APP], cwd=ROOT / "backend"))
    assert told.startswith("the app here has no task 'warehouse.count'")


def test_an_entry_may_be_an_object_of_celerys(app: Celery) -> None:
    add(app, refresh)
    entry = ScheduleEntry(name="daily", task="sent.refresh", schedule=crontab(hour=12, minute=0), app=app)
    app.conf.beat_schedule = {"daily": entry}
    assert [found.name for found in celery_beat.read(["sent:app"])] == ["daily"]


def test_limits_of_the_app_count_where_the_task_has_none(app: Celery) -> None:
    add(app, refresh)
    app.conf.update(task_time_limit=300, beat_cron_starting_deadline=7200)
    assert send(app).options == {"catch_up_window": timedelta(hours=2), "timeout": 300}


def test_a_queue_is_in_the_table(app: Celery) -> None:
    add(app, refresh)
    topics = [one.topic for one in send(app, options={"queue": "slow"}).differences]
    assert Topic.ORDER in topics
    assert Topic.ORDER not in [one.topic for one in send(app).differences]


@pytest.mark.parametrize(
    ("task", "entry", "why"),
    [
        ("warehouse.count", {}, "has no task 'warehouse.count'"),
        ("celery.backend_cleanup", {}, "a task of Celery's own"),
        ("sent.refresh", {"args": [object]}, "cannot be written as code"),
        ("sent.refresh", {"schedule": 0.01}, "must be between 0.05 s"),
        ("sent.refresh", {"schedule": "*/5 * * * *"}, "its schedule cannot be read: AttributeError"),
    ],
    ids=["unknown", "celery's own", "argument", "too often", "text"],
)
def test_what_cannot_be_a_task_is_left_out_with_a_reason(
    app: Celery, task: str, entry: dict[str, object], why: str
) -> None:
    add(app, refresh)
    assert why in send(app, task, **entry).problem


def test_without_celery_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "celery", None)
    with pytest.raises(NotThere, match="Celery is not installed: pip install"):
        celery_beat.read([])


def test_a_task_in_a_module_that_cannot_be_named_is_called_by_way_of_the_app(
    app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "old-jobs", ModuleType("old-jobs"))
    add(app, refresh, name='say "hi"')
    app.tasks['say "hi"'].__class__.__module__ = "old-jobs"
    assert send(app, 'say "hi"').call.text == "current_app.tasks['say \"hi\"']()"


def test_an_app_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(NotThere, match=r"the Celery app at 'no\.such\.app' cannot be loaded"):
        celery_beat.read(["no.such.app"])
