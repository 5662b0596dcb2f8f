"""The table of tasks as the server writes it: complete without a script, and no more than its reader may see."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test.utils import override_script_prefix
from django.utils import timezone

from asyncsched import conf
from asyncsched.models import Lease, Replica, TaskRun, TaskState
from asyncsched.server import compose
from asyncsched.storage.lease import NAME

pytestmark = pytest.mark.django_db

TASK = "cleanup_old_events"
ROW = re.compile(r'<tr role="row" data-task="([\w.]+)".*?</tr>', re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def page_of(client, path="/tasks/"):
    return client.get(path).content.decode()


def row_of(client, task=TASK, path="/tasks/"):
    return next(found[0] for found in ROW.finditer(page_of(client, path)) if found[1] == task)


def words_of(text):
    return " ".join(TAG.sub(" ", text).split())


def json_of(client, task=TASK):
    return next(found for found in client.get("/tasks.json").json()["tasks"] if found["name"] == task)


def store_run(*, task=TASK, status="succeeded", error="", lateness=0.25, consecutive_failures=0):
    """A run that ended a moment ago, after 1.5 seconds, in history and in the task's state."""
    began = timezone.now() - timedelta(seconds=10)
    is_over = status != "running"
    run = TaskRun.objects.create(
        run_id=uuid.uuid4(),
        task=task,
        replica="web-1:1:aa",
        scheduled_for=began,
        started_at=began,
        finished_at=began + timedelta(seconds=1.5) if is_over else None,
        duration=1.5 if is_over else None,
        lateness=lateness if is_over else None,
        status=status,
        trigger="schedule",
        error=error,
    )
    if is_over:
        TaskState.objects.create(
            task=task,
            last_status=status,
            last_trigger="schedule",
            last_scheduled_for=began,
            last_started_at=began,
            last_finished_at=run.finished_at,
            last_duration=1.5,
            last_error=error,
            consecutive_failures=consecutive_failures,
        )
    return run


def test_strangers_are_sent_to_sign_in(client):
    answer = client.get("/tasks/")

    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/tasks/")


def test_who_may_not_see_runs_is_refused(person):
    assert person().get("/tasks/").status_code == 403


@pytest.mark.parametrize("permission", ["view_tasks", "run_tasks"])
def test_either_permission_opens_the_page(person, permission):
    assert person(permission).get("/tasks/").status_code == 200


def test_the_page_holds_nothing_but_our_own_files(admin_client):
    answer = admin_client.get("/tasks/")

    assert answer["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", answer.content.decode())


def test_static_files_may_come_from_another_host(admin_client, settings):
    settings.STATIC_URL = "https://files.example/static/"

    policy = admin_client.get("/tasks/")["Content-Security-Policy"]

    assert "script-src 'self' https://files.example; style-src 'self' https://files.example;" in policy
    assert "connect-src 'self';" in policy


@pytest.mark.parametrize("path", ["/tasks/", f"/tasks/{TASK}/"])
def test_news_are_looked_for_below_the_prefix_of_the_project(admin_client, path):
    with override_script_prefix("/prefix/"):
        assert 'data-socket="/prefix/ws/runs/"' in page_of(admin_client, path)


def test_the_zone_it_names_is_the_one_it_tells_times_in(admin_client):
    with timezone.override("Asia/Tokyo"):
        page = page_of(admin_client)

    assert "Times are in Asia/Tokyo." in page
    assert 'data-zone="Asia/Tokyo"' in page


@pytest.mark.urls("tests.web.project.urls")
def test_customers_of_a_project_learn_nothing_of_its_tasks(person):
    client = person()

    assert {client.get(path).status_code for path in ("/tasks/", "/tasks.json", "/tasks/timeline")} == {403}


def test_what_other_pages_have_to_say_is_not_lost_here(admin_client):
    TaskState.objects.create(task=TASK)
    admin_client.post(f"/admin/asyncsched/taskstate/{TASK}/act/pause/")

    assert page_of(admin_client).count(f"Paused {TASK}.") == 1


def test_there_are_as_many_tasks_as_the_headline_says(admin_client):
    page = page_of(admin_client)
    tasks = compose.tasks(conf.load())
    own = [task.name for task in tasks if task.is_own]

    assert f"{len(tasks) - len(own)} tasks, and {len(own)} of the scheduler's own" in words_of(page).replace(
        "&#x27;", "'"
    )
    assert [found[1] for found in ROW.finditer(page)] == [task.name for task in tasks]
    assert [found[1] for found in ROW.finditer(page.partition("The scheduler's own")[2])] == own


def test_the_last_run_is_told_with_its_length_and_lateness_and_leads_to_its_page(admin_client):
    run = store_run()
    row = row_of(admin_client)

    assert "succeeded" in words_of(row)
    assert "took 1.5 s, 250 ms late" in words_of(row)
    assert f'href="/runs/{run.run_id}/"' in row
    assert f'href="/tasks/{TASK}/"' in row
    assert (
        json_of(admin_client)["last_run"] | {"id": run.run_id.hex, "lateness_s": 0.25}
        == json_of(admin_client)["last_run"]
    )


def test_the_latest_runs_are_a_line_with_a_label(admin_client):
    store_run(status="failed", error="LookupError: nothing there", consecutive_failures=3)
    row = row_of(admin_client)

    assert 'role="img" aria-label="Latest 1: 1.5 s, 1 failed"' in row
    assert '<path class="bad" d="M119 24V6M119 2h0"/>' in row
    assert "3 in a row" in words_of(row)
    assert json_of(admin_client)["spark"] == [[1.5, 1]]


def test_a_run_that_goes_on_is_told_of(admin_client):
    store_run(status="running")

    assert "running" in words_of(row_of(admin_client))


def test_a_success_that_is_overdue_is_told_of(admin_client):
    TaskState.objects.create(task=TASK, alerted_at=timezone.now())

    assert "overdue" in words_of(row_of(admin_client))
    assert json_of(admin_client)["alerted_at"]


def test_a_run_that_was_asked_for_is_told_of_until_it_is_given_up(admin_client):
    state = TaskState.objects.create(task=TASK, run_asked_at=timezone.now())
    assert "asked to run now" in words_of(row_of(admin_client))
    assert json_of(admin_client)["asked_at"]

    state.run_asked_at -= timedelta(minutes=10)
    state.save()
    assert "asked" not in words_of(row_of(admin_client))


def test_a_run_that_waits_for_another_to_end_stays_asked_for(admin_client):
    store_run(status="running")
    TaskState.objects.create(task=TASK, run_asked_at=timezone.now() - timedelta(minutes=10))

    assert "asked to run now" in words_of(row_of(admin_client))


def test_what_an_error_says_cannot_change_the_page(admin_client):
    store_run(status="failed", error="<script>alert(1)</script>", consecutive_failures=1)

    assert "<script>alert" not in page_of(admin_client)
    assert "&lt;script&gt;alert(1)" in row_of(admin_client)


def test_a_paused_task_can_be_resumed_and_another_paused(admin_client):
    TaskState.objects.create(task=TASK, paused=True)
    paused, other = row_of(admin_client), row_of(admin_client, "check_home_assistant")

    assert re.search(r'data-verb="pause"[^>]* hidden>', paused)
    assert re.search(r'data-verb="resume"[^>]*" hidden>', other)
    assert not re.search(r'data-verb="resume"[^>]* hidden>', paused)


def test_who_may_only_look_has_no_buttons(person):
    page = page_of(person("view_tasks"))

    assert "data-verb" not in page
    assert 'data-socket="/ws/runs/"' in page


def test_residents_see_on_their_page_that_a_run_failed_but_neither_why_nor_a_way_to_more(person):
    run = store_run(status="failed", error="LookupError: nothing there", consecutive_failures=1)
    resident = person()
    row, facts = row_of(resident, path="/"), json_of(resident)

    assert "failed" in words_of(row)
    assert "nothing there" not in row
    assert "href" not in row
    assert "button" not in row
    assert (facts["last_run"]["error"], facts["last_run"]["id"]) == (None, None)
    assert run.run_id.hex not in page_of(resident, "/")
    assert "cards" not in resident.get("/tasks.json").json()


def process(replica):
    now = timezone.now()
    Replica.objects.create(
        replica=replica, version="1", tasks={}, started_at=now, seen_at=now, expires_at=now + timedelta(minutes=5)
    )


def scheduler_card(client):
    cards = {card["key"]: card for card in client.get("/tasks.json").json()["cards"]}
    return cards["scheduler"]["word"], cards["scheduler"]["detail"]


def test_it_is_said_that_no_process_runs_the_scheduler(admin_client):
    assert scheduler_card(admin_client) == ("Not running", "No process runs the scheduler, so no task runs")


def test_it_is_said_who_leads_and_how_many_stand_by(admin_client):
    process("web-1:1:aa")
    process("web-2:1:bb")
    assert scheduler_card(admin_client) == ("Electing", "2 processes, and none leads yet")

    Lease.objects.create(name=NAME, term=3, holder="web-1:1:aa", since=timezone.now())
    assert scheduler_card(admin_client) == ("Running", "web-1:1 leads · 1 on standby")


def test_it_is_said_how_many_tasks_are_in_trouble(admin_client):
    store_run(status="failed", consecutive_failures=2)
    TaskState.objects.create(task="cleanup_expired_sessions", alerted_at=timezone.now())
    TaskState.objects.create(task="check_home_assistant", paused=True)
    page = words_of(page_of(admin_client))

    assert "1 failing, 1 overdue" in page
    assert "1 paused" in page
