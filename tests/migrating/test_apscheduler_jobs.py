"""APScheduler's jobs as tasks: where they are read, and what their options become."""

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger

from asyncsched.migrating import apscheduler_jobs
from asyncsched.migrating.code import text_of
from asyncsched.migrating.found import Found, LeftOut, NotThere, Topic

DAILY = CronTrigger(hour=5, timezone="Europe/Berlin")


def report(what: str = "", *, when: object = None) -> None:
    """Tell how it goes."""


async def watch() -> None:
    """Watch something."""


class Stock:
    """What is there."""

    def count(self) -> None:
        """Count it."""


def options(found: Found) -> dict[str, str]:
    return {name: text_of(value) for name, value in found.options.items()}


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> BaseScheduler:
    """A scheduler that lies at ``live.scheduler`` and has not been started."""
    live = ModuleType("live")
    live.scheduler = BackgroundScheduler(timezone="UTC")
    monkeypatch.setitem(sys.modules, "live", live)
    return live.scheduler


def of_the_scheduler() -> list[Found | LeftOut]:
    return apscheduler_jobs.read(["live.scheduler"])


def test_jobs_of_a_scheduler_that_was_not_started_are_read(scheduler: BaseScheduler) -> None:
    scheduler.add_job(report, DAILY, ["sales"], {"when": "now"}, id="report")
    (found,) = of_the_scheduler()
    assert (found.name, found.call.text, found.description) == (
        "report",
        f'{__name__}.report("sales", when="now")',
        "Tell how it goes.",
    )


def test_without_an_id_of_its_own_a_job_is_called_as_its_function(scheduler: BaseScheduler) -> None:
    scheduler.add_job(report, DAILY)
    assert [found.name for found in of_the_scheduler()] == ["report"]


def test_a_coroutine_is_awaited(scheduler: BaseScheduler) -> None:
    scheduler.add_job(watch, DAILY)
    assert [found.is_async for found in of_the_scheduler()] == [True]


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ({}, {"catch_up": '"none"'}),
        ({"misfire_grace_time": 600}, {"catch_up_window": "timedelta(seconds=600)"}),
        ({"misfire_grace_time": None}, {}),
        ({"misfire_grace_time": None, "coalesce": False}, {"catch_up": '"all"'}),
        ({"misfire_grace_time": None, "max_instances": 3}, {"overlap": '"allow"', "concurrency": "3"}),
        ({"misfire_grace_time": None, "next_run_time": None}, {"enabled": "False"}),
        ({"misfire_grace_time": None, "next_run_time": datetime(2020, 1, 1, tzinfo=UTC)}, {"run_on_start": "True"}),
    ],
    ids=str,
)
def test_options_become_ours(scheduler: BaseScheduler, said: dict[str, object], becomes: dict[str, str]) -> None:
    scheduler.add_job(report, DAILY, **said)
    assert [options(found) for found in of_the_scheduler()] == [becomes]


def test_what_a_job_does_not_say_its_scheduler_does(scheduler: BaseScheduler) -> None:
    scheduler.configure(job_defaults={"misfire_grace_time": 300, "coalesce": False})
    scheduler.add_job(report, DAILY)
    assert [options(found) for found in of_the_scheduler()] == [
        {"catch_up": '"all"', "catch_up_window": "timedelta(seconds=300)"}
    ]


def test_jobs_of_a_running_scheduler_in_a_table_outlive_it(scheduler: BaseScheduler, tmp_path: Path) -> None:
    scheduler.add_jobstore(SQLAlchemyJobStore(url=f"sqlite:///{tmp_path / 'jobs.sqlite'}"))
    scheduler.start(paused=True)
    scheduler.add_job(report, DAILY, misfire_grace_time=600)
    (found,) = of_the_scheduler()
    scheduler.shutdown()
    assert not [one for one in found.differences if "memory" in one.there]


def test_that_jobs_in_memory_know_of_nothing_missed_is_told(scheduler: BaseScheduler) -> None:
    scheduler.add_job(report, DAILY, misfire_grace_time=600)
    (found,) = of_the_scheduler()
    assert [one.topic for one in found.differences if "memory" in one.there] == [Topic.MISSED]


@pytest.mark.parametrize(
    ("function", "args", "why"),
    [
        (lambda: None, [], "no path"),
        (partial(report, "sales"), [], "no path"),
        (Stock().count, [], "method of an object"),
        (report, [timedelta(days=1)], "cannot be written as code"),
        (report, [datetime(2027, 1, 1, tzinfo=UTC)], "cannot be written as code"),
    ],
    ids=["lambda", "partial", "method", "timedelta", "datetime"],
)
def test_what_cannot_be_called_by_code_is_left_out(
    scheduler: BaseScheduler, function: object, args: list[object], why: str
) -> None:
    scheduler.add_job(function, DAILY, args, name="job")
    (found,) = of_the_scheduler()
    assert why in found.problem


def test_a_table_is_read_and_nothing_in_it_is_changed_not_even_a_job_that_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    gone = ModuleType("gone")
    exec("def work(): pass", vars(gone))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "gone", gone)
        scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url=url)}, timezone="UTC")
        scheduler.start(paused=True)
        scheduler.add_job(report, DAILY, id="report")
        scheduler.add_job(gone.work, DAILY, id="lost")
        scheduler.shutdown()
    before = (tmp_path / "jobs.sqlite").read_bytes()
    by_name = {one.name: one for one in apscheduler_jobs.read([url])}
    assert isinstance(by_name["report"], Found)
    assert "could not import module" in by_name["lost"].problem
    assert (tmp_path / "jobs.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (["sqlite://"], "apscheduler_jobs cannot be read"),
        (["nonsense://"], "apscheduler_jobs cannot be read"),
        (["asyncsched.migrating.code.WIDTH"], "is no scheduler of APScheduler's"),
        ([], "say where the jobs are"),
    ],
    ids=str,
)
def test_where_there_are_no_jobs_a_sentence_says_so(where: list[str], why: str) -> None:
    with pytest.raises(NotThere, match=why):
        apscheduler_jobs.read(where)


def test_without_sqlalchemy_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "apscheduler.jobstores.sqlalchemy")
    with pytest.raises(NotThere, match="install apscheduler<4 and sqlalchemy"):
        apscheduler_jobs.read(["sqlite:///jobs.sqlite"])


def test_a_password_in_the_address_is_in_no_output(tmp_path: Path) -> None:
    with pytest.raises(NotThere) as refused:
        apscheduler_jobs.read([f"sqlite://user:secret@/{tmp_path}/none.sqlite"])
    assert "secret" not in str(refused.value)


def test_a_file_that_is_not_there_is_a_sentence_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="there is no file"):
        apscheduler_jobs.read([f"sqlite:///{tmp_path}/jobs.sqlite"])
    assert list(tmp_path.iterdir()) == []
