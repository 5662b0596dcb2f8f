"""Overdue tasks: who is found, and who is told, on every database."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from asyncsched import Every, signals
from asyncsched.alerts import Alert, look, survey
from asyncsched.models import Replica, TaskState
from asyncsched.registry import Task
from asyncsched.storage.alerts import Presence, up_since
from asyncsched.storage.database_time import database_now
from asyncsched.storage.requests import set_paused
from tests.engine.conftest import make_task

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.usefixtures("database")


def task(name: str = "task", **options: Any) -> Task:
    return make_task(schedule=Every(600), name=name, **{"alert_after": 60.0} | options)


def succeeded(ago: timedelta, name: str = "task", **facts: Any) -> None:
    at = database_now() - ago
    TaskState.objects.create(task=name, **{"last_success_at": at, "last_status": "succeeded"} | facts)


def up(
    *names: str,
    since: timedelta,
    until: timedelta = -HOUR,
    replica: str = "host:1:a",
    now: datetime | None = None,
    **facts: Any,
) -> None:
    """A process has been up for so long, and its presence ends so long ago (or, if negative, is still to end)."""
    now = now or database_now()
    Replica.objects.create(
        replica=replica,
        version="1",
        tasks={name: {"schedule": "every 10 min"} | facts for name in names or ("task",)},
        started_at=now - since,
        seen_at=now - max(until, timedelta()),
        expires_at=now - until,
    )


def overdue(*tasks: Task, alive: bool = True) -> list[str]:
    return [alert.task for alert in look(tasks or (task(),), is_scheduler_alive=alive)]


class Told:
    """What receivers heard, in order: the signal, and the tasks."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, list[str]]] = []
        self.alerts: list[Alert] = []
        self.in_transaction: list[bool] = []

    def overdue(self, *, alerts: list[Alert], **_: Any) -> None:
        self._hear("overdue", alerts)

    def recovered(self, *, alerts: list[Alert], **_: Any) -> None:
        self._hear("recovered", alerts)

    def _hear(self, what: str, alerts: list[Alert]) -> None:
        self.heard.append((what, [alert.task for alert in alerts]))
        self.alerts += alerts
        self.in_transaction.append(connection.in_atomic_block)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Receivers of this test's own, and of no other app's."""
    ears = Told()
    for signal in (signals.task_overdue, signals.task_recovered, signals.nobody_schedules):
        monkeypatch.setattr(signal, "receivers", [])
    signals.task_overdue.connect(ears.overdue)
    signals.task_recovered.connect(ears.recovered)
    return ears


# What is found


def test_a_task_that_succeeded_lately_is_not_overdue() -> None:
    succeeded(MINUTE)
    up(since=DAY)
    assert overdue() == []


def test_a_task_whose_success_is_missing_is() -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    (alert,) = look([task()], is_scheduler_alive=True)
    assert (alert.task, alert.schedule, alert.last_status) == ("task", "every 10 min", "succeeded")
    assert alert.last_success_at is not None
    assert alert.last_success_at < alert.expected_by < database_now()


def test_a_paused_task_is_not_overdue() -> None:
    succeeded(2 * HOUR, paused=True)
    up(since=DAY)
    assert overdue() == []


def test_one_that_was_resumed_has_the_time_to_run_again() -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    set_paused("task", value=True)
    set_paused("task", value=False)
    assert overdue() == []


def test_a_pause_long_ago_does_not_hide_that_it_is_not_enabled_now() -> None:
    now = database_now()
    succeeded(3 * HOUR, last_status="skipped", last_finished_at=now - MINUTE, excused_until=now - 2 * HOUR)
    up(since=DAY)
    assert overdue() == []


@pytest.mark.parametrize(("ago", "late"), [(MINUTE, []), (HOUR, ["task"])], ids=["just now", "an hour ago"])
def test_a_task_that_fails_once_its_enabled_when_says_yes_again_has_the_time_to_succeed(
    ago: timedelta, late: list[str]
) -> None:
    now = database_now()
    succeeded(2 * HOUR, last_status="failed", last_finished_at=now, excused_until=now - ago)
    up(since=DAY)
    assert overdue() == late


@pytest.mark.parametrize("options", [{"enabled": False}, {"alert_after": inf}], ids=["disabled", "no alerts wanted"])
def test_a_task_of_which_nothing_is_wanted_is_not_overdue(options: dict[str, Any]) -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    assert overdue(task(**options)) == []


@pytest.mark.parametrize("alive", [True, False])
def test_nor_is_one_whose_enabled_when_said_no(alive: bool) -> None:
    succeeded(2 * HOUR, last_status="skipped", last_finished_at=database_now() - MINUTE)
    up(since=DAY)
    assert overdue(alive=alive) == []


def test_what_is_asked_no_more_whether_it_is_enabled_is_overdue_if_a_scheduler_lives() -> None:
    succeeded(3 * HOUR, last_status="skipped", last_finished_at=database_now() - 2 * HOUR)
    up(since=DAY)
    assert overdue(alive=False) == []
    assert overdue(alive=True) == ["task"]


def test_a_task_that_has_failed_ever_since_it_exists_is_overdue() -> None:
    TaskState.objects.create(task="task", last_status="failed", last_finished_at=database_now())
    up(since=HOUR)
    assert overdue() == ["task"]


def test_a_task_without_any_trace_is_overdue_once_a_process_should_have_run_it() -> None:
    up(since=HOUR)
    assert overdue() == ["task"]
    assert TaskState.objects.get().alerted_at is not None


def test_right_after_a_start_nothing_is_overdue_however_long_nobody_was_up() -> None:
    succeeded(5 * DAY)
    up(since=timedelta(seconds=20))
    assert overdue() == []


def test_processes_that_keep_dying_excuse_nothing() -> None:
    succeeded(2 * HOUR)
    now = database_now()
    for number in range(60):  # each lives for two minutes
        since = (number + 1) * 2 * MINUTE
        up(since=since, until=since - 3 * MINUTE, replica=f"host:{number}:a", now=now)
    assert overdue() == ["task"]


def test_a_task_that_no_live_process_knows_is_not_overdue() -> None:
    succeeded(2 * HOUR)
    up("other", since=DAY)
    assert overdue() == []


@pytest.mark.parametrize("facts", [{"schedule": "daily at 03:00 UTC"}, {"enabled": False}], ids=str)
def test_a_deploy_that_lets_a_task_run_more_often_or_at_all_raises_no_alert(facts: dict[str, Any]) -> None:
    succeeded(5 * HOUR)
    up(since=DAY, replica="host:1:old", **facts)
    assert overdue() == []
    up(since=timedelta(seconds=20), replica="host:2:new")
    assert overdue() == []


def test_with_nobody_alive_what_succeeded_once_is_overdue() -> None:
    succeeded(2 * HOUR)
    up(since=DAY, until=HOUR)
    assert overdue(alive=False) == ["task"]


def test_before_a_given_moment_nothing_is_expected() -> None:
    succeeded(5 * DAY)
    now = database_now()
    assert survey([task()], now=now, since=now, is_scheduler_alive=True).overdue == ()
    assert survey([task()], now=now, since=now - HOUR, is_scheduler_alive=True).overdue


def test_processes_are_up_without_a_gap_as_long_as_their_presence_overlaps() -> None:
    now = database_now()

    def presence(since: timedelta, until: timedelta, name: str = "task") -> Presence:
        return Presence(tasks={name: "every 10 min"}, started_at=now - since, expires_at=now - until)

    chain = [presence(HOUR, -HOUR), presence(3 * HOUR, HOUR), presence(9 * HOUR, 4 * HOUR)]
    assert up_since(task(), chain) == (now - 3 * HOUR, now + HOUR)
    assert up_since(task(), [presence(HOUR, -HOUR), presence(DAY, -HOUR, "other")]) == (now - HOUR, now + HOUR)
    assert up_since(task(), []) == (None, None)


# Who is told


def test_an_alert_is_raised_once_and_in_the_transaction_that_notes_it(told: Told) -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    assert [overdue(), overdue(), overdue()] == [["task"]] * 3
    assert told.heard == [("overdue", ["task"])]
    assert told.in_transaction == [True]


def test_several_at_once_are_told_together(told: Told) -> None:
    names = ["c", "a", "b"]
    for name in names:
        succeeded(2 * HOUR, name)
    up(*names, since=DAY)
    overdue(*(task(name) for name in names))
    assert told.heard == [("overdue", ["a", "b", "c"])]


def test_success_ends_it_and_the_next_incident_is_another(told: Told) -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    overdue()
    TaskState.objects.update(last_success_at=database_now())
    assert [overdue(), overdue()] == [[], []]
    TaskState.objects.update(last_success_at=database_now() - HOUR)
    overdue()
    assert told.heard == [("overdue", ["task"]), ("recovered", ["task"]), ("overdue", ["task"])]


def test_an_excuse_does_not_pass_for_a_success(told: Told) -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    overdue()
    TaskState.objects.update(paused=True)
    overdue()
    TaskState.objects.update(paused=False)
    Replica.objects.update(started_at=database_now())  # a restart
    assert overdue() == []
    assert told.heard == [("overdue", ["task"])]


def test_pausing_ends_an_incident_without_a_word_and_what_is_missing_afterwards_is_another(told: Told) -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    overdue()
    set_paused("task", value=True)
    assert TaskState.objects.get().alerted_at is None
    set_paused("task", value=False)
    assert overdue() == []
    TaskState.objects.update(excused_until=database_now() - HOUR)
    assert overdue() == ["task"]
    assert told.heard == [("overdue", ["task"])] * 2


def test_disabling_ends_it_as_well_once_no_older_version_expects_anything(told: Told) -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    overdue()
    overdue(task(enabled=False))
    assert TaskState.objects.get().alerted_at is not None
    Replica.objects.all().delete()
    overdue(task(enabled=False))
    assert TaskState.objects.get().alerted_at is None
    assert told.heard == [("overdue", ["task"])]


def test_a_receiver_that_fails_leaves_it_to_the_next_look(told: Told) -> None:
    def fail(**_: Any) -> None:
        raise LookupError("the outbox is full")

    succeeded(2 * HOUR)
    up(since=DAY)
    signals.task_overdue.connect(fail)
    with pytest.raises(LookupError):
        overdue()
    assert TaskState.objects.get().alerted_at is None
    signals.task_overdue.disconnect(fail)
    overdue()
    assert told.heard == [("overdue", ["task"])] * 2


def test_who_writes_meanwhile_keeps_nobody_from_raising_an_alert(told: Told) -> None:
    succeeded(2 * HOUR)
    succeeded(MINUTE, "busy")
    up("task", "without a row", since=DAY)

    def interfering(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        """After whatever is read in the transaction; SQLite then refuses it to write."""
        result = execute(sql, *arguments)
        if connection.in_atomic_block and sql.startswith("SELECT"):
            side_by_side(1, lambda: list(map(str, [TaskState.objects.filter(task="busy").update(runs=F("runs") + 1)])))
        return result

    with connection.execute_wrapper(interfering):
        assert overdue(task(), task("without a row")) == ["task", "without a row"]
    assert told.heard == [("overdue", ["task", "without a row"])]


def test_it_is_logged_once_with_the_task(caplog: pytest.LogCaptureFixture) -> None:
    succeeded(2 * HOUR)
    up(since=DAY)
    overdue()
    overdue()
    (record,) = [record for record in caplog.records if record.name == "asyncsched.alerts"]
    assert (record.levelname, record.task, record.action) == ("ERROR", "task", "task_overdue")  # type: ignore[attr-defined]
    assert record.getMessage().startswith("task has not succeeded in time (every 10 min): last success 20")


@pytest.mark.parametrize("alive", [True, False])
def test_who_can_stand_in_for_tasks_is_told_with_each_look_that_nobody_schedules(alive: bool) -> None:
    heard = []

    def stand_in(**_: Any) -> None:
        heard.append(connection.in_atomic_block)

    signals.nobody_schedules.connect(stand_in)
    overdue(alive=alive)
    overdue(alive=alive)
    assert heard == ([] if alive else [False, False])


def test_however_many_tasks_there_are_a_look_takes_three_queries() -> None:
    tasks = [task(f"task {number}") for number in range(50)]
    for one in tasks:
        succeeded(MINUTE, one.name)
    up(*(one.name for one in tasks), since=DAY)
    with CaptureQueriesContext(connection) as timely:
        overdue(*tasks)
    TaskState.objects.update(last_success_at=database_now() - HOUR, alerted_at=database_now())
    with CaptureQueriesContext(connection) as late:
        overdue(*tasks)
    asks_time = connection.vendor != "sqlite"
    assert [len(timely), len(late)] == [2 + asks_time, 2 + asks_time]


def test_of_many_who_look_at_once_one_tells(told: Told) -> None:
    names = [f"task {number}" for number in range(8)]
    for name in names[2:]:  # the others never ran, and have no row
        succeeded(2 * HOUR, name)
    up(*names, since=DAY)
    found = side_by_side(6, lambda: overdue(*map(task, names)))
    assert [sorted(one) for one in found] == [names] * 6
    assert told.heard == [("overdue", names)]
    TaskState.objects.update(last_success_at=database_now())
    side_by_side(6, lambda: overdue(*map(task, names)))
    assert told.heard == [("overdue", names), ("recovered", names)]


def side_by_side(count: int, function: Callable[[], list[str]]) -> list[list[str]]:
    """Call *function* in as many threads at the same moment, and return what each returned."""
    results, start = [], threading.Barrier(count)

    def call() -> None:
        try:
            start.wait(30)
            results.append(function())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
