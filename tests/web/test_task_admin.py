"""Tasks in the admin: what they are, what comes next, and who may run, pause and resume them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from asyncsched.models import Replica, TaskState
from asyncsched.registry import registry

pytestmark = pytest.mark.django_db

TASKS = "/admin/asyncsched/taskstate/"
TASK = f"{TASKS}sync_entity_states/change/"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def state():
    return TaskState.objects.create(task="sync_entity_states", cursor=NOON, runs=28_812, failures=17, next_run_at=NOON)


@pytest.fixture
def sign_in(client, django_user_model):
    """Returns a function that signs in somebody of the staff who has these permissions."""

    def sign_in(*permissions):
        user = django_user_model.objects.create_user("sam", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return sign_in


def act(client, verb, task="sync_entity_states"):
    return client.post(f"{TASKS}{task}/act/{verb}/")


def field(page, name):
    """Return what the page of a task shows in a field, as text."""
    shown = re.search(rf'field-{name}.*?<div class="readonly">(.*?)</div>', page.content.decode(), re.DOTALL)[1]
    return re.sub(r"<br>", "\n", re.sub(r"</?(time|span)[^>]*>", "", shown)).strip()


def test_every_known_task_is_listed_even_before_its_first_run(admin_client):
    facts = {"newer_task": {"schedule": "every 1 h", "scope": "cluster", "enabled": True}}
    Replica.objects.create(
        replica="web-2:1:aa", version="2", tasks=facts, started_at=NOON, seen_at=NOON, expires_at=NOON
    )
    response = admin_client.get(TASKS)

    names = [state.task for state in response.context["cl"].result_list]
    assert names == sorted([*(task.name for task in registry), "newer_task"])


def test_a_list_that_is_looked_at_again_writes_nothing(admin_client, django_assert_max_num_queries):
    admin_client.get(TASKS)
    with django_assert_max_num_queries(10) as queries:
        admin_client.get(TASKS)

    assert not [query for query in queries if not query["sql"].startswith("SELECT")]


def test_the_list_shows_schedules_how_often_tasks_ran_and_failed_and_when_they_are_next(admin_client, state):
    cells = admin_client.get(f"{TASKS}?q=sync_entity_states").content.decode()

    assert '<td class="field-schedule">every 5 min</td>' in cells
    assert '<td class="field-runs">28812</td>' in cells
    assert '<td class="field-failures">17</td>' in cells
    assert "<span>2026-11-23</span> <span>12:00:00 UTC</span>" in cells


@time_machine.travel(NOON, tick=False)
def test_the_page_of_a_task_shows_its_definition_and_its_next_ten_occurrences(admin_client, state, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    page = admin_client.get(TASK)

    assert field(page, "schedule") == "every 5 min"
    assert field(page, "options").startswith("Runs: once, in the process that leads; on the event loop\nOverlap: ")
    coming = field(page, "coming").split("\n")
    assert (coming[0], coming[-1], len(coming)) == ("2026-11-23 13:05:00 CET", "2026-11-23 13:50:00 CET", 10)


def test_it_leads_to_the_runs_of_the_task_and_to_what_did_not_run(admin_client, state):
    seen = field(admin_client.get(TASK), "elsewhere")

    for address in re.findall(r'href="(/admin/[^"]+)"', seen):
        assert admin_client.get(address).status_code == 200
        assert address.endswith("?task=sync_entity_states")
    assert "/admin/asyncsched/taskrun/" in seen
    assert "/admin/asyncsched/taskskip/" in seen


def test_of_a_task_that_only_another_process_knows_it_shows_what_that_one_tells(admin_client):
    facts = {"newer_task": {"schedule": "every 1 h", "scope": "cluster", "enabled": False}}
    Replica.objects.create(
        replica="web-2:1:aa", version="2", tasks=facts, started_at=NOON, seen_at=NOON, expires_at=NOON
    )
    TaskState.objects.create(task="newer_task")
    page = admin_client.get(f"{TASKS}newer_task/change/")

    told = "every 1 h, scope cluster, not enabled: it runs by hand only; as web-2:1 has it"
    assert (field(page, "schedule"), field(page, "coming")) == (told, "-")


def test_of_a_task_that_nobody_knows_any_more_it_says_so(admin_client):
    TaskState.objects.create(task="gone")

    assert field(admin_client.get(f"{TASKS}gone/change/"), "schedule") == "no process knows a task of this name"


def test_the_buttons_pause_and_resume_and_write_nothing_but_the_switch(admin_client, state):
    assert "act/pause/" in admin_client.get(TASK).content.decode()
    assert act(admin_client, "pause").status_code == 302
    state.refresh_from_db()
    assert (state.paused, state.cursor, state.runs) == (True, NOON, 28_812)

    assert "act/resume/" in admin_client.get(TASK).content.decode()
    act(admin_client, "resume")
    state.refresh_from_db()
    assert not state.paused


def test_the_button_to_run_asks_the_running_processes_in_the_name_of_who_pressed_it(admin_client, state):
    act(admin_client, "run")
    state.refresh_from_db()

    assert state.run_asked_at is not None
    assert state.run_asked_by == "admin"
    assert "by admin" in field(admin_client.get(TASK), "asked")


@pytest.mark.parametrize(("action", "paused"), [("pause", True), ("resume", False)])
def test_several_tasks_are_paused_and_resumed_together(admin_client, action, paused):
    names = ["one", "two"]
    TaskState.objects.bulk_create([TaskState(task=name, paused=not paused) for name in names])
    response = admin_client.post(TASKS, {"action": action, "_selected_action": names}, follow=True)

    assert [str(message) for message in response.context["messages"]] == [f"{action.capitalize()}d one, two."]
    assert set(TaskState.objects.filter(task__in=names).values_list("paused", flat=True)) == {paused}


def test_several_tasks_are_run_together(admin_client):
    TaskState.objects.bulk_create([TaskState(task=name) for name in ("one", "two")])
    admin_client.post(TASKS, {"action": "run_now", "_selected_action": ["one", "two"]})

    assert TaskState.objects.filter(run_asked_at__isnull=False).count() == 2


def test_who_did_what_is_in_the_history_of_a_task(admin_client, state):
    for verb in ("pause", "pause", "resume", "run"):
        act(admin_client, verb)

    told = LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message")
    name = "sync_entity_states"
    assert list(told) == [("admin", name, "Paused."), ("admin", name, "Resumed."), ("admin", name, "Asked for a run.")]
    assert b"Asked for a run." in admin_client.get(f"{TASKS}{name}/history/").content


def test_nothing_of_a_task_can_be_written_by_a_form(admin_client, state):
    assert admin_client.post(TASK, {"paused": "on", "consecutive_failures": "77"}).status_code == 403
    assert admin_client.post(f"{TASKS}sync_entity_states/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{TASKS}add/").status_code == 403


def test_who_may_only_look_sees_no_button_and_can_do_nothing(sign_in, state):
    viewer = sign_in("view_taskstate", "change_taskstate", "view_tasks")
    page, listing = viewer.get(TASK), viewer.get(TASKS)

    assert (page.status_code, listing.status_code) == (200, 200)
    assert b"/act/" not in page.content
    assert b'name="action"' not in listing.content
    assert [act(viewer, verb).status_code for verb in ("run", "pause", "resume")] == [403, 403, 403]
    viewer.post(TASKS, {"action": "pause", "_selected_action": ["sync_entity_states"]})
    state.refresh_from_db()
    assert (state.paused, state.run_asked_at) == (False, None)
    assert not LogEntry.objects.exists()


def test_who_has_the_permission_to_run_may_run_and_pause(sign_in, state):
    operator = sign_in("view_taskstate", "run_tasks")

    assert b"act/run/" in operator.get(TASK).content
    assert [act(operator, verb).status_code for verb in ("run", "pause")] == [302, 302]
    state.refresh_from_db()
    assert (state.paused, state.run_asked_by) == (True, "sam")


def test_who_may_run_but_not_look_does_neither_here(sign_in, state):
    somebody = sign_in("run_tasks")

    assert somebody.get(TASK).status_code == 403
    assert act(somebody, "run").status_code == 403


def test_a_button_is_a_form_that_nobody_else_can_send(client, admin_user, state):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)

    assert act(strict, "pause").status_code == 403
    assert strict.get(f"{TASKS}sync_entity_states/act/pause/").status_code == 405
    state.refresh_from_db()
    assert not state.paused


def test_there_is_no_button_for_what_does_not_exist(admin_client, state):
    assert act(admin_client, "delete").status_code == 404
    assert act(admin_client, "run", task="unknown").status_code == 404


def test_a_task_whose_name_needs_quoting_has_buttons_that_work(admin_client):
    TaskState.objects.create(task="a/b_c d")
    page = admin_client.get(TASKS).content.decode()
    address = re.search(r'href="(/admin/asyncsched/taskstate/a[^"]+/change/)', page)[1]
    button = re.search(r'action="([^"]+/act/pause/)"', admin_client.get(address).content.decode())[1]
    assert admin_client.post(button, follow=True).status_code == 200

    assert TaskState.objects.get(task="a/b_c d").paused


def test_an_alert_that_was_raised_is_shown(admin_client, state):
    TaskState.objects.update(alerted_at=NOON + timedelta(hours=1))

    assert field(admin_client.get(TASK), "alerted") == "2026-11-23 13:00:00 UTC"
