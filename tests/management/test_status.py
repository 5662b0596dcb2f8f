"""Whether a deployment is well, judged by what its processes wrote into the database."""

import io
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management.base import OutputWrapper
from django.core.management.color import no_style
from django.db import connection
from django.test.utils import CaptureQueriesContext

from asyncsched import Cron, DailyAt, Every, conf
from asyncsched.management.screen import Screen
from asyncsched.management.status import Status
from asyncsched.management.status import status as status_of
from asyncsched.management.status_text import show, verdict
from asyncsched.models import Lease, Replica, TaskRun, TaskState
from asyncsched.registry import Task
from asyncsched.storage.situations import Situation, TaskSituation
from tests.engine.conftest import make_task

pytestmark = pytest.mark.django_db

HOURLY = make_task(name="hourly", schedule=Every(3600))
EVERYWHERE = make_task(name="everywhere", schedule=Every(60), scope="replica")
LEADER = "web-1:4711:aaaaaaaabbbb"
STANDBY = "web-2:4712:ccccccccdddd"


def ago(seconds: float) -> datetime:
    """Return the time so long before now; the future for a negative number."""
    return datetime.now(UTC) - timedelta(seconds=seconds)


def facts(*tasks: Task) -> dict[str, dict[str, Any]]:
    return {
        task.name: {"schedule": task.schedule.describe(), "scope": task.options.scope, "enabled": task.options.enabled}
        for task in tasks
    }


def live(replica: str, *tasks: Task, started: float = 600, expired: float = -20) -> None:
    """Add a process that started so many seconds ago, and expired so many seconds ago."""
    at = ago(started)
    Replica.objects.create(
        replica=replica,
        version="1.0",
        tasks=facts(*tasks),
        started_at=at,
        seen_at=ago(expired + 20),
        expires_at=ago(expired),
    )


def die(replica: str, *tasks: Task, expired: float = 40) -> None:
    live(replica, *tasks, expired=expired)


def lead(replica: str, *, term: int = 7, since: float = 600, resigned: float | None = None) -> None:
    until = None if resigned is None else ago(resigned)
    Lease.objects.create(name="scheduler", term=term, holder=replica, since=ago(since), until=until)


def state(task: str, **columns: Any) -> None:
    TaskState.objects.create(task=task, **columns)


def run(task: str, replica: str, *, heartbeat: float) -> None:
    TaskRun.objects.create(
        run_id=uuid.uuid4(),
        task=task,
        replica=replica,
        scheduled_for=ago(300),
        started_at=ago(300),
        heartbeat_at=ago(heartbeat),
        status="running",
        trigger="schedule",
    )


def status(*tasks: Task, **settings: Any) -> Status:
    return status_of(tasks, conf.Settings(**settings))


def details(found: Status, *, width: int = 160) -> str:
    """Return what stands below the verdict, in lines of *width* characters."""
    out = OutputWrapper(io.StringIO())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", str(width))
        show(Screen(out, out, no_style()), found)
    return out.getvalue().partition("\n\n")[2].rstrip("\n")


def task_in(found: Status, name: str) -> TaskSituation:
    return next(task for task in found.tasks if task.name == name)


def situation(found: Status, name: str = "hourly") -> Situation:
    return task_in(found, name).situation


@pytest.fixture
def well() -> None:
    """Two processes that live and know the same tasks, one of which leads."""
    live(LEADER, HOURLY, EVERYWHERE)
    live(STANDBY, HOURLY, EVERYWHERE)
    lead(LEADER)


class TestProcesses:
    @pytest.mark.usefixtures("well")
    def test_with_a_leader_and_nothing_overdue_all_is_well(self) -> None:
        found = status(HOURLY, EVERYWHERE)
        assert (found.is_healthy, found.reasons, found.warnings) == (True, [], [])
        assert [replica.role for replica in found.replicas] == ["leader", "standby"]

    def test_without_any_process_it_is_not(self) -> None:
        assert status(HOURLY).reasons == ["no process runs the scheduler: start a server"]

    def test_a_scheduler_that_is_switched_off_is_named_as_the_reason(self) -> None:
        (reason,) = status(HOURLY, enabled=False).reasons
        assert "settings.ASYNCSCHED['ENABLED'] is False" in reason

    def test_processes_that_expired_are_dead(self) -> None:
        die(LEADER, HOURLY, expired=100)
        lead(LEADER)
        found = status(HOURLY)
        assert [replica.role for replica in found.replicas] == ["dead"]
        assert found.reasons == ["no process lives: web-1:4711 has died, and was last seen 2 min ago"]

    def test_a_dead_leader_leads_no_more(self) -> None:
        die(LEADER, HOURLY)
        live(STANDBY, HOURLY)
        lead(LEADER)
        found = status(HOURLY)
        assert not found.leadership.leads
        assert found.reasons == ["no process leads: web-1:4711 holds term 7, and was last seen 1 min ago"]

    def test_nor_does_one_that_has_resigned(self) -> None:
        live(STANDBY, HOURLY)
        lead("", resigned=90)
        assert status(HOURLY).reasons == ["no process leads: the leader of term 7 resigned 1 min ago"]

    def test_nor_one_that_is_gone_without_a_trace(self) -> None:
        live(STANDBY, HOURLY)
        lead(LEADER)
        assert status(HOURLY).reasons == ["no process leads: web-1:4711 holds term 7, and is gone"]

    def test_before_the_first_election_nobody_leads(self) -> None:
        live(STANDBY, HOURLY)
        assert status(HOURLY).reasons == ["no process leads, and none ever has"]

    def test_one_that_is_alone_is_asked_for_a_sign_of_life_as_it_renews_its_presence_rarely(self) -> None:
        live(LEADER, HOURLY)
        Replica.objects.update(seen_at=ago(60), expires_at=ago(-240))
        lead(LEADER)
        found = status(HOURLY, lease_seconds=2.0)
        assert found.reasons == ["no process leads: web-1:4711 holds the lease, but gave no sign of life for 0.6 s"]

    def test_where_every_task_is_of_scope_replica_nobody_has_to_lead(self) -> None:
        live(STANDBY, EVERYWHERE)
        found = status(EVERYWHERE)
        assert found.is_healthy
        assert verdict(found) == "healthy: 1 process; no task needs a leader"

    def test_where_nobody_is_elected_only_overdue_tasks_count(self) -> None:
        state("hourly", next_run_at=ago(60))
        found = status(HOURLY, election=False)
        assert (found.is_healthy, situation(found)) == (True, Situation.WAITING)
        assert "ELECTION" in verdict(found)
        TaskState.objects.update(next_run_at=ago(8000))
        assert not status(HOURLY, election=False).is_healthy

    def test_a_task_of_another_process_may_need_a_leader_too(self) -> None:
        live(STANDBY, EVERYWHERE, HOURLY)
        assert not status(EVERYWHERE).is_healthy


class TestOverdue:
    @pytest.mark.usefixtures("well")
    def test_what_nobody_ran_for_longer_than_its_period_is_overdue(self) -> None:
        Lease.objects.update(since=ago(90_000))
        due = HOURLY.schedule.next_after(ago(2 * 3600))
        state("hourly", next_run_at=due)
        found = status(HOURLY)
        assert (situation(found), task_in(found, "hourly").next_run) == (Situation.OVERDUE, due)
        assert found.reasons == [f"hourly is overdue: every 1 h, and due since {due:%Y-%m-%d %H:%M:%S} UTC"]

    @pytest.mark.usefixtures("well")
    def test_within_its_period_it_is_not(self) -> None:
        Lease.objects.update(since=ago(90_000))
        state("hourly", next_run_at=HOURLY.schedule.next_after(ago(3600)))
        assert situation(status(HOURLY)) is Situation.WAITING

    @pytest.mark.parametrize(("seconds", "overdue"), [(140, False), (170, True)])
    def test_a_task_below_a_minute_has_150_seconds(self, seconds: float, *, overdue: bool) -> None:
        often = make_task(name="often", schedule=Every(2))
        live(LEADER, often)
        lead(LEADER)
        state("often", next_run_at=ago(seconds))
        assert (situation(status(often), "often") is Situation.OVERDUE) == overdue

    @pytest.mark.usefixtures("well")
    def test_what_was_due_before_anybody_led_does_not_count(self) -> None:
        Lease.objects.update(since=ago(10))
        state("hourly", next_run_at=ago(90_000))
        assert situation(status(HOURLY)) is Situation.WAITING

    def test_of_scope_replica_what_was_due_before_a_process_started_does_not_count(self) -> None:
        live(STANDBY, EVERYWHERE, started=10)
        state("everywhere", next_run_at=ago(90_000))
        assert situation(status(EVERYWHERE), "everywhere") is Situation.WAITING

    def test_where_nobody_leads_it_is_overdue_as_well(self) -> None:
        live(STANDBY, HOURLY)
        lead("", resigned=20_000)
        state("hourly", next_run_at=ago(10_000))
        found = status(HOURLY)
        assert situation(found) is Situation.OVERDUE
        assert len(found.reasons) == 2

    @pytest.mark.parametrize(
        ("columns", "expected"),
        [({"paused": True}, Situation.PAUSED), ({"consecutive_failures": 3}, Situation.SUSPENDED)],
    )
    def test_a_task_that_is_to_rest_is_not(self, columns: dict[str, Any], expected: Situation) -> None:
        resting = make_task(name="resting", schedule=Every(60), suspend_after=3)
        live(LEADER, resting)
        lead(LEADER, since=90_000)
        state("resting", next_run_at=ago(90_000), **columns)
        found = status(resting)
        assert (situation(found, "resting"), found.is_healthy) == (expected, True)

    def test_a_disabled_task_is_not(self) -> None:
        disabled = make_task(name="disabled", schedule=Every(60), enabled=False)
        live(LEADER, disabled)
        lead(LEADER, since=90_000)
        state("disabled", next_run_at=ago(90_000))
        found = status(disabled)
        assert (situation(found, "disabled"), found.is_healthy) == (Situation.DISABLED, True)

    @pytest.mark.usefixtures("well")
    def test_a_task_that_is_running_is_not(self) -> None:
        Lease.objects.update(since=ago(90_000))
        state("hourly", next_run_at=ago(90_000))
        run("hourly", LEADER, heartbeat=90_000)
        found = status(HOURLY)
        assert (situation(found), task_in(found, "hourly").running_on) == (Situation.RUNNING, (LEADER,))

    @pytest.mark.usefixtures("well")
    def test_a_run_of_a_process_that_died_is_no_excuse(self) -> None:
        Lease.objects.update(since=ago(90_000))
        state("hourly", next_run_at=ago(90_000))
        run("hourly", "web-9:1:ffff", heartbeat=90_000)
        assert situation(status(HOURLY)) is Situation.OVERDUE

    @pytest.mark.usefixtures("well")
    def test_a_failing_task_changes_nothing(self) -> None:
        state("hourly", consecutive_failures=40, last_status="failed", next_run_at=ago(-60))
        assert status(HOURLY).is_healthy

    @pytest.mark.parametrize("schedule", [DailyAt(3), Cron("0 3 * * MON")])
    def test_the_period_of_any_schedule_counts(self, schedule: Any) -> None:
        rare = make_task(name="rare", schedule=schedule.in_zone("UTC"))
        live(LEADER, rare)
        lead(LEADER, since=10_000_000)
        latest = rare.schedule.latest_until(ago(0))
        before = latest and rare.schedule.latest_until(latest - timedelta(seconds=1))
        assert before
        state("rare", next_run_at=latest)
        assert situation(status(rare), "rare") is Situation.WAITING
        TaskState.objects.update(next_run_at=rare.schedule.latest_until(before - timedelta(seconds=1)))
        assert situation(status(rare), "rare") is Situation.OVERDUE

    @pytest.mark.usefixtures("well")
    def test_of_very_many_a_few_are_named(self) -> None:
        Lease.objects.update(since=ago(90_000))
        many = [make_task(name=f"task {number}", schedule=Every(60)) for number in range(8)]
        Replica.objects.update(tasks=facts(*many))
        for task in many:
            state(task.name, next_run_at=ago(1000))
        reasons = status(*many).reasons
        assert len(reasons) == 6
        assert reasons[-1] == "3 more tasks are overdue"


class TestRollingDeploy:
    def test_a_task_that_no_live_process_knows_is_parked(self) -> None:
        live(LEADER, HOURLY)
        lead(LEADER)
        state("removed", last_finished_at=ago(7200), runs=14, next_run_at=ago(3600))
        found = status(HOURLY)
        removed = task_in(found, "removed")
        assert (removed.situation, removed.runs, removed.known_by) == (Situation.PARKED, 14, ())
        assert removed.parked_since == TaskState.objects.get().last_finished_at
        assert found.is_healthy
        assert TaskState.objects.filter(task="removed").exists()

    def test_it_is_parked_since_the_last_process_that_knew_it_was_heard_of(self) -> None:
        live(LEADER, HOURLY)
        lead(LEADER)
        die("web-3:1:eeee", make_task(name="removed"))
        state("removed", last_finished_at=ago(7200))
        dead = Replica.objects.get(replica="web-3:1:eeee")
        assert task_in(status(HOURLY), "removed").parked_since == dead.seen_at

    def test_a_task_that_only_the_code_here_knows_is_parked_too(self) -> None:
        live(LEADER, HOURLY)
        lead(LEADER)
        found = status(HOURLY, make_task(name="new"))
        assert (situation(found, "new"), found.is_healthy) == (Situation.PARKED, True)
        assert "known to no live process, only to the code here" in details(found, width=160)

    def test_a_task_that_the_leader_does_not_know_waits_for_one_that_does(self) -> None:
        new = make_task(name="new", schedule=Every(60))
        live(LEADER, HOURLY)
        live(STANDBY, HOURLY, new)
        lead(LEADER, since=90_000)
        state("new", next_run_at=ago(90_000))
        found = status(HOURLY, new)
        assert (situation(found, "new"), found.is_healthy) == (Situation.UNSERVED, True)
        assert found.warnings == ["new waits for a leader that knows it: so far web-2:4712 does"]

    def test_a_task_that_the_code_here_lacks_is_shown_with_who_knows_it(self) -> None:
        live(LEADER, HOURLY, make_task(name="new"))
        lead(LEADER)
        found = status(HOURLY)
        new = task_in(found, "new")
        assert (new.situation, new.is_registered, new.known_by) == (Situation.WAITING, False, (LEADER,))
        assert (new.schedule, new.scope) == ("every 2 s", "cluster")
        assert "known to web-1:4711 only, not to the code here" in details(found, width=160)

    def test_what_the_leader_says_of_a_task_goes_before_what_others_say(self) -> None:
        live(STANDBY, make_task(name="hourly", schedule=Every(60)), started=900)
        live(LEADER, make_task(name="hourly", enabled=False))
        lead(LEADER)
        hourly = task_in(status(HOURLY), "hourly")
        assert (hourly.schedule, hourly.situation) == ("every 2 s", Situation.DISABLED)

    def test_without_any_process_what_is_registered_is_unserved(self) -> None:
        hourly = task_in(status(HOURLY), "hourly")
        assert (hourly.situation, hourly.next_run) == (Situation.UNSERVED, None)


class TestForPeople:
    @pytest.mark.usefixtures("well")
    def test_the_first_line_says_who_leads_since_when_and_in_which_term(self) -> None:
        since = Lease.objects.get().since
        assert verdict(status(HOURLY)) == (
            f"healthy: 2 processes, web-1:4711 leads since {since:%Y-%m-%d %H:%M:%S} UTC (term 7)"
        )

    def test_every_reason_has_a_line(self) -> None:
        live(STANDBY, HOURLY)
        state("hourly", next_run_at=ago(10_000))
        first, second = verdict(status(HOURLY)).splitlines()
        assert first == "NOT healthy: no process leads, and none ever has"
        assert second.startswith("NOT healthy: hourly is overdue")

    @pytest.mark.usefixtures("well")
    def test_processes_and_tasks_are_tables(self) -> None:
        state("hourly", runs=120, failures=3, last_status="failed", consecutive_failures=2, last_error="no route",
              last_scheduled_for=ago(61), last_started_at=ago(61), last_finished_at=ago(61))  # fmt: skip
        processes, tasks = details(status(HOURLY, EVERYWHERE), width=160).split("\n\n")
        assert processes.splitlines()[0].split() == [
            "PROCESS", "ROLE", "STARTED", "LAST", "SEEN", "TASKS", "VERSION", "ID"
        ]  # fmt: skip
        assert re.fullmatch(r"web-1:4711  leader   .* UTC  \d+ s ago +2  1.0      aaaaaa", processes.splitlines()[1])
        header, hourly, everywhere = tasks.splitlines()
        assert header.split() == ["TASK", "STATE", "NEXT", "LAST", "RUN", "RUNS", "FAILED", "NOTES"]
        assert hourly.endswith("  failed 1 min ago   120       3  2 failures in a row; no route")
        assert everywhere.split()[-3:] == ["never", "0", "0"]

    @pytest.mark.parametrize("width", [80, 100, 160])
    def test_no_line_is_wider_than_the_terminal(self, width: int) -> None:
        task = make_task(name="cleanup_orphan_rule_entity_refs", schedule=Every(3600))
        live("a-host-with-a-name-of-some-length:4711:aaaaaaaa", task)
        lead("a-host-with-a-name-of-some-length:4711:aaaaaaaa")
        at = ago(61)
        state(task.name, runs=1_000_000, last_status="succeeded", consecutive_failures=2, last_error="no route " * 30,
              last_scheduled_for=at, last_started_at=at, last_finished_at=at)  # fmt: skip
        text = details(status(task), width=width)
        assert max(len(line) for line in text.splitlines()) <= width
        assert "2 failures in a row; no route" in text

    def test_processes_of_one_name_are_told_apart(self) -> None:
        die("web:1:aaaaaaaa", HOURLY)
        live("web:1:bbbbbbbb", HOURLY)
        lead("web:1:bbbbbbbb")
        found = status(HOURLY)
        assert "web:1:bbbbbb leads since" in verdict(found)
        assert [line.split()[0] for line in details(found).splitlines()[1:3]] == ["web:1:bbbbbb", "web:1:aaaaaa"]

    def test_without_tasks_it_says_where_they_go(self) -> None:
        assert "tasks.py" in details(status())


class TestForPrograms:
    @pytest.mark.usefixtures("well")
    def test_all_of_it_is_json_with_times_that_have_an_offset(self) -> None:
        state("hourly", next_run_at=ago(-60))
        shown = json.loads(json.dumps(status(HOURLY).as_json()))
        assert (shown["healthy"], shown["reasons"], shown["leader"]["replica"]) == (True, [], LEADER)
        times = [shown["at"], shown["leader"]["since"], shown["replicas"][0]["seen_at"], shown["tasks"][0]["next_run"]]
        assert all(datetime.fromisoformat(time).tzinfo for time in times)

    def test_the_shape_is_the_same_where_there_is_nothing(self) -> None:
        shown = status().as_json()
        assert shown["leader"] == {"replica": None, "leads": False, "term": 0, "since": None, "resigned_at": None}
        assert (shown["replicas"], shown["tasks"]) == ([], [])


@pytest.mark.usefixtures("well")
def test_however_many_tasks_there_are_it_asks_the_database_four_times() -> None:
    for number in range(50):
        state(f"task {number}")
    with CaptureQueriesContext(connection) as queries:
        status(HOURLY)
    assert len(queries) == 4
