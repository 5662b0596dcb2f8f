"""The scheduler in the admin: history, processes and leadership, to read only."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from asyncsched.admin.records import MOST_COUNTED
from asyncsched.models import Lease, LoopStall, Replica, TaskRun, TaskSkip, Term

pytestmark = pytest.mark.django_db

RUNS = "/admin/asyncsched/taskrun/"
SKIPS = "/admin/asyncsched/taskskip/"
PROCESSES = "/admin/asyncsched/replica/"
LEADERSHIP = "/admin/asyncsched/lease/"
TERMS = "/admin/asyncsched/term/"
STALLS = "/admin/asyncsched/loopstall/"
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


@pytest.mark.parametrize("query", ["task=sync_entity_states", "status=failed", "trigger=manual", "q=no+route"])
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


def test_terms_of_leadership_are_listed_latest_first_with_how_long_they_lasted(admin_client):
    Term.objects.create(term=6, replica="web-1:1:aa", since=NOON, until=NOON + timedelta(hours=1, minutes=30))
    Term.objects.create(term=7, replica="web-2:1:aa", since=NOON + timedelta(hours=2))
    page = admin_client.get(TERMS).content.decode()

    assert re.findall(r'class="field-process">([^<]+)<', page) == ["web-2:1", "web-1:1"]
    assert re.findall(r'class="field-lasted">([^<]+)<', page) == ["-", "1 h 30 min"]
    assert listed_terms(admin_client.get(f"{TERMS}?replica=web-1:1:aa")) == [6]


def listed_terms(response):
    return [row.term for row in response.context["cl"].result_list]


def stall(number=0, **facts):
    defaults = {"culprit": "task sync_entity_states", "task": "sync_entity_states", "where": "home/tasks.py:12 (sync)"}
    at = NOON + timedelta(seconds=number)
    return LoopStall(began_at=at, seconds=0.4123, replica="web-1:1:aa", **(defaults | facts))


def test_stalls_are_listed_latest_first_with_who_held_up_the_loop_and_where(admin_client):
    LoopStall.objects.bulk_create([stall(1), stall(2, culprit="request GET /slow", task="")])
    page = admin_client.get(STALLS).content.decode()

    assert re.findall(r'class="field-culprit">([^<]+)<', page) == ["request GET /slow", "task sync_entity_states"]
    assert "0.412\N{NO-BREAK SPACE}s" in page
    assert "home/tasks.py:12 (sync)" in page


@pytest.mark.parametrize("query", ["task=sync_entity_states", "q=home", "when=2026-11-23"])
def test_stalls_are_found_by_task_line_and_day(admin_client, query):
    LoopStall.objects.bulk_create([stall(), stall(86_400, culprit="request GET /slow", task="", where="web.py:1")])

    assert listed(admin_client.get(f"{STALLS}?{query}")) == ["sync_entity_states"]


def test_neither_a_term_nor_a_stall_can_be_changed_or_deleted(admin_client):
    Term.objects.create(term=6, replica="web-1:1:aa", since=NOON)
    row = stall()
    row.save()

    for address in (f"{TERMS}6/", f"{STALLS}{row.pk}/"):
        assert admin_client.get(f"{address}change/").status_code == 200
        assert admin_client.post(f"{address}change/", {"term": "9"}).status_code == 403
        assert admin_client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
