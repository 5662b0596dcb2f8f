"""The page of a run: all that is known of it, in words."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from asyncsched.models import HandOff, TaskRun

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TASK = "cleanup_old_events"
TAG = re.compile(r"<[^>]*>")


@pytest.fixture
def admin_client(client, django_user_model):
    """An administrator who is signed in. Without a password: to hash one takes longer than a test."""
    client.force_login(django_user_model.objects.create(username="admin", is_staff=True, is_superuser=True))
    return client


def run(status="succeeded", *, minutes=0, **facts):
    """A run due *minutes* after noon, that began 250 ms late and took 1.5 s."""
    due = NOON + timedelta(minutes=minutes)
    began = due + timedelta(seconds=0.25)
    usual = {"run_id": uuid.uuid4(), "task": TASK, "scheduled_for": due, "started_at": began, "replica": "web-1:17:abc"}
    if status != "running":
        usual |= {"finished_at": began + timedelta(seconds=1.5), "duration": 1.5, "lateness": 0.25}
    return TaskRun.objects.create(status=status, **({"trigger": "schedule"} | usual | facts))


def address(one):
    return f"/runs/{one.run_id}/"


def page_of(client, one):
    return client.get(address(one)).content.decode()


def words_of(client, one):
    return " ".join(TAG.sub(" ", page_of(client, one)).split())


def fact(client, one, name):
    """What the page says beside *name*; None if it does not say it."""
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page_of(client, one), re.DOTALL)
    return found and " ".join(TAG.sub("", found[1]).split())


def test_it_says_when_the_run_was_due_began_and_ended_with_the_zone(admin_client):
    one = run()

    assert fact(admin_client, one, "Due") == "Mon 23 Nov 2026, 12:00:00 UTC"
    assert fact(admin_client, one, "Started") == "Mon 23 Nov 2026, 12:00:00 UTC, 250 ms late"
    assert fact(admin_client, one, "Ended") == "Mon 23 Nov 2026, 12:00:01 UTC"


def test_times_are_in_the_projects_zone(admin_client, settings):
    settings.TIME_ZONE = "Europe/Berlin"

    assert fact(admin_client, run(), "Due") == "Mon 23 Nov 2026, 13:00:00 CET"
    assert "Times are in Europe/Berlin." in words_of(admin_client, run(minutes=1))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("succeeded", "succeeded after 1.5 s"),
        ("failed", "failed after 1.5 s"),
        ("timed_out", "timed out It was ended after 1.5 s, as its timeout says."),
        ("cancelled", "cut off Its process was stopped while it ran."),
        ("abandoned", "abandoned Its process, or the worker that had it, ended without a word while it ran."),
        ("skipped", "skipped Its enabled_when said no."),
    ],
)
def test_how_it_ended_is_said_in_words(admin_client, status, words):
    assert words in words_of(admin_client, run(status))


@pytest.mark.parametrize(
    ("trigger", "words"),
    [("schedule", "by its schedule"), ("catch_up", "to catch up on what was missed"), ("manual", "by hand")],
)
def test_why_it_ran_is_said_in_words(admin_client, trigger, words):
    assert fact(admin_client, run(trigger=trigger), "Why") == words


def test_the_process_and_its_term_are_told(admin_client):
    assert fact(admin_client, run(term=42), "Process") == "web-1:17:abc"
    assert fact(admin_client, run(minutes=1, term=42), "Term") == "42"
    assert fact(admin_client, run(minutes=2), "Term") == "none"


def test_result_error_traceback_and_log_lines_are_shown_as_text(admin_client):
    one = run("failed", error="<b>no", traceback="Traceback <i>\n  File", log="a line\n<script>\n", result="<u>")
    page = page_of(admin_client, one)

    for text in ("&lt;b&gt;no", "Traceback &lt;i&gt;\n  File", "a line\n&lt;script&gt;", "&lt;u&gt;"):
        assert text in page
    assert not re.search("<b>|<i>|<u>|<script>", page)


def test_what_there_is_nothing_of_has_no_heading(admin_client):
    page = page_of(admin_client, run())

    assert not any(title in page for title in ("Result", "Traceback", "Log lines", "Blocked the event loop"))


def test_where_it_blocked_the_event_loop_is_told(admin_client):
    one = run(stall_seconds=0.4, stall_where="home/tasks.py:12 (sync)")

    assert fact(admin_client, one, "Blocked the event loop") == "for 400 ms at home/tasks.py:12 (sync)"


def test_a_row_that_several_share_says_so(admin_client):
    one = run(count=29)

    assert "29 times, the longest after 1.5 s" in words_of(admin_client, one)
    assert fact(admin_client, one, "Row").startswith("29 runs that went alike share it")


def test_other_attempts_of_its_occurrence_are_linked(admin_client):
    first, second = run("failed"), run(attempt=2, started_at=NOON + timedelta(minutes=1))
    other = run(minutes=5)

    assert "Runs of the same occurrence" in page_of(admin_client, first)
    assert address(second) in page_of(admin_client, first)
    assert "attempt 2" in words_of(admin_client, first)
    assert "Runs of the same occurrence" not in page_of(admin_client, other)


def test_the_runs_before_and_after_it_are_linked(admin_client):
    before, one, after = run(), run(minutes=1), run(minutes=2)
    run(minutes=1, task="another")

    page = page_of(admin_client, one)

    assert f'<a href="{address(before)}" rel="prev">' in page
    assert f'<a href="{address(after)}" rel="next">' in page
    assert 'rel="prev"' not in page_of(admin_client, before)
    assert 'rel="next"' not in page_of(admin_client, after)


def test_it_leads_to_its_task(admin_client):
    assert 'href="/tasks/mail:a.b%20c/"' in page_of(admin_client, run(task="mail:a.b c"))


def test_a_run_that_goes_on_follows_the_news_and_one_that_has_ended_does_not(admin_client):
    going = run("running", heartbeat_at=NOON + timedelta(seconds=30))
    page = page_of(admin_client, going)

    assert f'data-run="{going.run_id.hex}" data-socket="/ws/runs/"' in page
    assert fact(admin_client, going, "Last sign of life") == "Mon 23 Nov 2026, 12:00:30 UTC"
    assert fact(admin_client, going, "Ended") is None
    assert "data-socket" not in page_of(admin_client, run(minutes=1))


def test_a_run_that_is_gone_is_told_in_words(admin_client):
    answer = admin_client.get(f"/runs/{uuid.uuid4()}/")

    assert answer.status_code == 404
    assert "History has no such run. It may have been deleted" in answer.content.decode()


def test_it_is_for_those_who_may_see_runs(client, django_user_model):
    one = run()
    assert client.get(address(one)).url == f"/login/?next={address(one)}"
    client.force_login(django_user_model.objects.create_user("resident"))
    assert client.get(address(one)).status_code == 403


def test_nothing_stores_it_and_nothing_foreign_is_in_it(admin_client):
    answer = admin_client.get(address(run("failed", traceback="Traceback", log="a line")))

    assert "no-store" in answer["Cache-Control"]
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert not re.search(r"<script>|<style| style=| on\w+=", answer.content.decode())


def test_it_asks_the_database_seven_questions(admin_client, django_assert_max_num_queries):
    one = run()
    for minutes in range(1, 60):
        run(minutes=minutes)

    with django_assert_max_num_queries(
        7
    ):  # session, user, the run, its worker, its occurrence, the one before, the one after
        admin_client.get(address(one))


def test_a_clock_that_was_set_back_makes_no_run_negative(admin_client):
    now = timezone.now()

    assert fact(admin_client, run(started_at=now, finished_at=now - timedelta(hours=1)), "Ended")


def test_it_says_which_worker_a_run_was_handed_off_to(admin_client):
    one = run("running")
    handed_off = HandOff.objects.create(
        run_id=one.run_id, task=TASK, executor="celery", owner="web-1:17:abc", offered_at=NOON
    )
    assert fact(admin_client, one, "Handed off to") == "celery: no worker has it yet"

    handed_off.worker, handed_off.state = "worker-1:23", HandOff.State.PICKED_UP
    handed_off.save()
    assert fact(admin_client, one, "Handed off to") == "celery: worker-1:23"


def test_it_says_nothing_of_workers_where_a_run_was_not_handed_off(admin_client):
    assert fact(admin_client, run(), "Handed off to") is None
