"""The scheduler in the admin: history is read-only and never counted, tasks can be paused."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from asyncsched.admin.records import MOST_COUNTED
from asyncsched.models import Lease, Replica, TaskRun, TaskSkip, TaskState
from asyncsched.registry import registry

pytestmark = pytest.mark.django_db

RUNS = "/admin/asyncsched/taskrun/"
SKIPS = "/admin/asyncsched/taskskip/"
TASKS = "/admin/asyncsched/taskstate/"
PROCESSES = "/admin/asyncsched/replica/"
LEADERSHIP = "/admin/asyncsched/lease/"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(task, number=0, **facts):
    at = NOON + timedelta(seconds=number)
    defaults = {"scheduled_for": at, "started_at": at, "status": "succeeded", "trigger": "schedule"}
    return TaskRun(run_id=uuid.uuid4(), task=task, replica="here", **(defaults | facts))


def listed(response):
    return [row.task for row in response.context["cl"].result_list]


def test_runs_are_listed_newest_first(admin_client):
    TaskRun.objects.bulk_create([run("older", 1), run("newest", 3), run("newer", 2)])

    assert listed(admin_client.get(RUNS)) == ["newest", "newer", "older"]


@pytest.mark.parametrize("query", ["task=sync_entity_states", "status__exact=failed", "trigger=manual", "q=no+route"])
def test_runs_are_found_by_task_status_trigger_and_error(admin_client, query):
    TaskRun.objects.bulk_create(
        [
            run("sync_entity_states", 1, status="failed", trigger="manual", error="OSError: no route to host"),
            run("check_home_assistant", 2),
        ]
    )

    assert listed(admin_client.get(f"{RUNS}?{query}")) == ["sync_entity_states"]


def test_a_run_can_be_read_but_neither_changed_nor_deleted_nor_added(admin_client):
    row = run("sync_entity_states", traceback="Traceback: there")
    row.save()

    assert b"Traceback: there" in admin_client.get(f"{RUNS}{row.pk}/change/").content
    assert admin_client.post(f"{RUNS}{row.pk}/change/", {"status": "failed"}).status_code == 403
    assert admin_client.post(f"{RUNS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{RUNS}add/").status_code == 403


def test_a_run_that_blocked_the_event_loop_shows_for_how_long_and_where(admin_client):
    row = run("sync_entity_states", stall_seconds=0.4123, stall_where="home/tasks.py:12 (sync)")
    row.save()

    assert "0.412\N{NO-BREAK SPACE}s" in admin_client.get(RUNS).content.decode()
    assert "home/tasks.py:12 (sync)" in admin_client.get(f"{RUNS}{row.pk}/change/").content.decode()


def skip(task, number=0, reason="paused"):
    at = NOON + timedelta(seconds=number)
    return TaskSkip(task=task, reason=reason, first_scheduled_for=at, last_scheduled_for=at, count=1)


def test_what_did_not_run_is_listed_newest_first_with_the_reason_in_words(admin_client):
    TaskSkip.objects.bulk_create([skip("older", 1), skip("newest", 3), skip("newer", 2)])
    response = admin_client.get(SKIPS)

    assert listed(response) == ["newest", "newer", "older"]
    assert b"the task was paused" in response.content


@pytest.mark.parametrize("query", ["task=sync_entity_states", "reason=overlap"])
def test_what_did_not_run_is_found_by_task_and_reason(admin_client, query):
    TaskSkip.objects.bulk_create([skip("sync_entity_states", reason="overlap"), skip("check_home_assistant")])

    assert listed(admin_client.get(f"{SKIPS}?{query}")) == ["sync_entity_states"]


def test_why_something_did_not_run_can_be_read_but_not_changed(admin_client):
    row = skip("sync_entity_states")
    row.save()

    assert admin_client.get(f"{SKIPS}{row.pk}/change/").status_code == 200
    assert admin_client.post(f"{SKIPS}{row.pk}/change/", {"count": "9"}).status_code == 403
    assert admin_client.post(f"{SKIPS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{SKIPS}add/").status_code == 403


def test_a_large_history_is_never_counted_to_its_end(admin_client, django_assert_max_num_queries):
    TaskRun.objects.bulk_create([run("sync_entity_states", number) for number in range(MOST_COUNTED + 200)])

    with django_assert_max_num_queries(12) as queries:
        response = admin_client.get(RUNS)

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"] and "taskrun" in query["sql"]]
    assert counts
    assert all(f"LIMIT {MOST_COUNTED}" in sql for sql in counts)
    assert response.context["cl"].result_count == MOST_COUNTED


def test_every_registered_task_is_listed_even_before_its_first_run(admin_client):
    assert listed(admin_client.get(TASKS)) == sorted(task.name for task in registry)


def test_pausing_a_task_writes_nothing_but_the_switch(admin_client):
    TaskState.objects.create(task="sync_entity_states", cursor=NOON, consecutive_failures=1)
    page = admin_client.get(f"{TASKS}sync_entity_states/change/")
    TaskState.objects.update(cursor=NOON + timedelta(minutes=5), consecutive_failures=2)  # the scheduler goes on

    assert page.status_code == 200
    answer = admin_client.post(f"{TASKS}sync_entity_states/change/", {"paused": "on", "consecutive_failures": "77"})

    assert answer.status_code == 302
    state = TaskState.objects.get()
    assert (state.paused, state.cursor, state.consecutive_failures) == (True, NOON + timedelta(minutes=5), 2)


def test_a_task_shows_how_often_it_ran_and_failed_and_when_it_is_next(admin_client):
    TaskState.objects.create(task="sync_entity_states", runs=28_812, failures=17, next_run_at=NOON)
    cells = admin_client.get(f"{TASKS}?q=sync_entity_states").content.decode()

    assert '<td class="field-runs">28812</td>' in cells
    assert '<td class="field-failures">17</td>' in cells
    assert "field-next_run_at" in cells


def process(replica, *, lives=True, tasks=("sync_entity_states",)):
    now = datetime.now(UTC)
    facts = {task: {"schedule": "every 5 min", "scope": "cluster", "enabled": True} for task in tasks}
    expires_at = now + timedelta(minutes=5) if lives else now
    return Replica(replica=replica, version="0.1.0", tasks=facts, started_at=NOON, seen_at=now, expires_at=expires_at)


def test_processes_are_listed_with_which_leads_and_which_are_dead(admin_client, django_assert_max_num_queries):
    Replica.objects.bulk_create([process(f"web-{number}:1:aa", lives=number != 3) for number in range(1, 21)])
    Lease.objects.create(name="scheduler", term=7, holder="web-2:1:aa", since=NOON)
    with django_assert_max_num_queries(12):
        response = admin_client.get(PROCESSES)
    roles = re.findall(r'<td class="field-role">(\w+)</td>', response.content.decode())

    assert sorted(set(roles)) == ["dead", "leader", "standby"]
    assert (roles.count("leader"), roles.count("dead")) == (1, 1)
    assert "web-2:1" in response.content.decode()


def test_a_process_shows_which_tasks_it_knows(admin_client):
    process("web-1:1:aa", tasks=["b <i>", "a"]).save()
    page = admin_client.get(f"{PROCESSES}web-1_3A1_3Aaa/change/").content.decode()

    assert "a: every 5 min, cluster<br>b &lt;i&gt;: every 5 min, cluster" in page


def leader(admin_client):
    return re.search(r'class="field-leader.*?>([^<>]+)<', admin_client.get(LEADERSHIP).content.decode())[1]


def test_leadership_shows_who_leads_since_when_and_in_which_term(admin_client):
    process("web-2:1:aa").save()
    Lease.objects.create(name="scheduler", term=7, holder="web-2:1:aa", since=NOON)

    assert leader(admin_client) == "web-2:1"
    assert '<td class="field-term">7</td>' in admin_client.get(LEADERSHIP).content.decode()


def test_a_leader_that_died_leads_no_more(admin_client):
    process("web-2:1:aa", lives=False).save()
    Lease.objects.create(name="scheduler", term=7, holder="web-2:1:aa", since=NOON)

    assert leader(admin_client) == "nobody: web-2:1 has died"


def test_nor_does_one_that_resigned(admin_client):
    Lease.objects.create(name="scheduler", term=7, holder="", since=NOON, until=NOON)

    assert leader(admin_client) == "nobody: the last leader resigned"


@pytest.mark.parametrize("address", [f"{PROCESSES}web-1_3A1_3Aaa/", f"{LEADERSHIP}scheduler/"])
def test_neither_a_process_nor_leadership_can_be_changed_or_deleted(admin_client, address):
    process("web-1:1:aa").save()
    Lease.objects.create(name="scheduler", term=7, holder="web-1:1:aa", since=NOON)

    assert admin_client.get(f"{address}change/").status_code == 200
    assert admin_client.post(f"{address}change/", {"term": "9"}).status_code == 403
    assert admin_client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
