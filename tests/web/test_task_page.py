"""The page of a task: how it is defined, how it stands, when it runs, and how its runs went."""

import re
import uuid
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from asyncsched.models import Lease, Replica, TaskRun, TaskSkip, TaskState
from asyncsched.storage.lease import NAME
from asyncsched.web.pages import RUNS_SHOWN

TASK = "cleanup_old_events"
ADDRESS = f"/tasks/{TASK}/"
TAG = re.compile(r"<[^>]*>")
LEADER = "web-1:17:abc"


@pytest.fixture
def admin_client(client, django_user_model):
    """An administrator who is signed in. Without a password: to hash one takes longer than a test."""
    client.force_login(django_user_model.objects.create(username="admin", is_staff=True, is_superuser=True))
    return client


def words_of(client, address=ADDRESS, status=200):
    answer = client.get(address)
    assert answer.status_code == status
    return unescape(" ".join(TAG.sub(" ", answer.content.decode()).split()))


def fact(client, name, address=ADDRESS):
    """What the page says beside *name*."""
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", client.get(address).content.decode(), re.DOTALL)
    return unescape(" ".join(TAG.sub("", found[1]).split()))


def run(minutes_ago=1, *, task=TASK, status="succeeded", **facts):
    began = timezone.now() - timedelta(minutes=minutes_ago)
    return TaskRun.objects.create(
        run_id=uuid.uuid4(),
        task=task,
        status=status,
        trigger="schedule",
        replica=LEADER,
        scheduled_for=began,
        started_at=began,
        finished_at=began + timedelta(seconds=2),
        duration=2.0,
        lateness=0.003,
        **facts,
    )


def lead(*names):
    """Let a process live and lead that knows tasks of these names."""
    now = timezone.now()
    Lease.objects.create(name=NAME, term=3, holder=LEADER, since=now - timedelta(hours=1))
    Replica.objects.create(
        replica=LEADER,
        version="1",
        tasks={name: {"schedule": "every 5 min", "scope": "cluster", "enabled": True} for name in names},
        started_at=now - timedelta(hours=1),
        seen_at=now,
        expires_at=now + timedelta(minutes=1),
    )


@pytest.mark.django_db
class TestHowItStands:
    def test_a_task_that_never_ran_has_a_page(self, admin_client):
        page = words_of(admin_client)

        assert "No runs are recorded." in page
        assert fact(admin_client, "Last success") == "none yet"
        assert fact(admin_client, "Schedule") == "daily at 03:00 UTC"

    def test_its_description_is_told(self, admin_client):
        assert "Delete alarm events, and notifications that are over" in words_of(admin_client)

    def test_its_next_ten_occurrences_are_listed_with_the_zone(self, time_machine, settings, client, django_user_model):
        settings.TIME_ZONE = "Europe/Berlin"
        time_machine.move_to("2027-03-26T12:00:00+00:00", tick=False)
        client.force_login(django_user_model.objects.create(username="staff", is_staff=True))

        page = client.get(ADDRESS).content.decode()
        listed = re.search(r'<ol class="coming">(.*?)</ol>', page, re.DOTALL)[1]

        assert re.findall(">([^<]+)</time>", listed)[:3] == [
            "Sat 27 Mar, 03:00:00 CET",
            "Sun 28 Mar, 03:00:00 CEST",
            "Mon 29 Mar, 03:00:00 CEST",
        ]
        assert listed.count("<li>") == 10

    def test_totals_failures_and_the_last_success_are_told(self, admin_client):
        when = timezone.now().replace(microsecond=0)
        TaskState.objects.create(task=TASK, runs=120, failures=7, consecutive_failures=2, last_success_at=when)

        assert fact(admin_client, "Runs") == "120 so far, 7 of them failed"
        assert fact(admin_client, "Failures in a row") == "2"
        assert fact(admin_client, "Last success") == f"{when:%a} {when.day} {when:%b, %H:%M:%S} UTC"

    @pytest.mark.parametrize(("failures", "words"), [(1, "The last run failed."), (2, "The last 2 runs failed.")])
    def test_that_it_keeps_failing_is_said_at_the_top(self, admin_client, failures, words):
        TaskState.objects.create(task=TASK, consecutive_failures=failures)

        assert words in words_of(admin_client).partition("How it stands")[0]

    @pytest.mark.parametrize(("task", "is_often"), [("broadcast_system_status", True), (TASK, False)])
    def test_that_it_always_has_news_is_told_to_the_script_which_then_asks_more_seldom(
        self, admin_client, task, is_often
    ):
        page = admin_client.get(f"/tasks/{task}/").content.decode()

        assert ("data-often" in page) is is_often

    def test_a_paused_task_says_that_none_of_its_occurrences_runs(self, admin_client):
        lead(TASK)
        TaskState.objects.create(task=TASK, paused=True)
        page = words_of(admin_client)

        assert "paused It does not run until somebody resumes it." in page
        assert "While it is paused none of them runs." in page
        assert fact(admin_client, "Next run") == "none by itself"

    def test_who_asked_for_a_run_that_has_not_begun_is_told(self, admin_client):
        TaskState.objects.create(task=TASK, run_asked_at=timezone.now(), run_asked_by="<anna>")

        assert "<anna> asked at" in words_of(admin_client)

    def test_that_a_success_is_overdue_is_told(self, admin_client):
        TaskState.objects.create(task=TASK, alerted_at=timezone.now())

        assert "A success is overdue." in words_of(admin_client)

    def test_a_task_of_another_process_shows_what_is_known_of_it(self, admin_client):
        lead("theirs:a.b")
        address = "/tasks/theirs:a.b/"

        assert "waiting It runs at its next occurrence." in words_of(admin_client, address)
        assert fact(admin_client, "Schedule", address) == "every 5 min"
        assert fact(admin_client, "Known to", address) == "web-1:17"
        assert fact(admin_client, "Code", address) == "not here"

    def test_a_task_that_nobody_has_any_more_keeps_its_page_and_its_history(self, admin_client):
        lead()
        TaskState.objects.create(task="old/one", runs=3)
        one = run(task="old/one")
        page = admin_client.get("/tasks/old/one/").content.decode()

        assert "parked" in page
        assert f"/runs/{one.run_id}/" in page

    def test_an_unknown_name_is_told_in_words_with_the_likely_one(self, admin_client):
        page = words_of(admin_client, "/tasks/cleanup_old_event<b>/", status=404)

        assert "No task is called cleanup_old_event<b>." in page
        assert f"Did you mean {TASK}" in page


@pytest.mark.django_db
class TestItsRuns:
    def test_the_latest_are_listed_with_how_they_went(self, admin_client):
        one = run(status="timed_out", error="it took too long", count=2)
        page = admin_client.get(ADDRESS).content.decode()

        assert f'href="/runs/{one.run_id}/"' in page
        assert "timed out × 2 it took too long ≤ 2.0 s 3 ms web-1:17" in words_of(admin_client)

    def test_older_ones_are_a_page_further_and_each_is_on_one_page(self, admin_client):
        made = [run(n) for n in range(RUNS_SHOWN + 5)]
        first = admin_client.get(ADDRESS).content.decode()
        older = re.search(r'href="(\?older=[\d-]+)#runs-title"', first)[1]
        second = admin_client.get(ADDRESS + older).content.decode()

        listed = [re.findall("/runs/([0-9a-f-]{36})/", page) for page in (first, second)]

        assert [len(ids) for ids in listed] == [RUNS_SHOWN, 5]
        assert [*listed[0], *listed[1]] == [str(one.run_id) for one in made]
        assert "?older=" not in second

    def test_an_address_that_names_no_place_is_told_in_words(self, admin_client):
        assert "names no place among the runs" in words_of(admin_client, f"{ADDRESS}?older=x", status=404)

    def test_what_did_not_run_is_listed_with_the_reason(self, admin_client):
        now = timezone.now()
        TaskSkip.objects.create(
            task=TASK, reason="overlap", count=3, first_scheduled_for=now - timedelta(hours=1), last_scheduled_for=now
        )

        assert "3 the previous run was still going" in words_of(admin_client)


@pytest.mark.django_db
class TestWhoMayDoWhat:
    def sign_in(self, client, people, *permissions):
        user = people.objects.create_user("anna")
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    def test_it_is_for_those_who_may_see_tasks(self, client, django_user_model):
        assert client.get(ADDRESS).url == f"/login/?next={ADDRESS}"
        assert self.sign_in(client, django_user_model).get(ADDRESS).status_code == 403

    def test_who_may_only_look_gets_no_buttons(self, client, django_user_model):
        page = self.sign_in(client, django_user_model, "view_tasks").get(ADDRESS).content.decode()

        assert f"/tasks/{TASK}/run" not in page
        assert "csrfmiddlewaretoken" not in page.partition("<main")[2]

    def test_who_may_run_tasks_gets_buttons_that_post_with_a_token(self, client, django_user_model):
        page = self.sign_in(client, django_user_model, "run_tasks").get(ADDRESS).content.decode()

        assert f'formaction="/tasks/{TASK}/run"' in page
        assert f'formaction="/tasks/{TASK}/pause"' in page
        assert f'formaction="/tasks/{TASK}/resume"' not in page
        assert re.search(r'<form method="post" id="tasks-act"><input type="hidden" name="csrfmiddlewaretoken"', page)

    def test_a_button_leads_back_to_the_page(self, admin_client):
        answer = admin_client.post(f"/tasks/{TASK}/pause", {"next": ADDRESS}, follow=True)

        assert answer.redirect_chain == [(ADDRESS, 302)]
        assert f'formaction="/tasks/{TASK}/resume"' in answer.content.decode()
        assert f"{TASK} is paused." in answer.content.decode()

    def test_a_task_without_code_here_has_no_buttons(self, admin_client):
        lead("theirs")

        assert "formaction" not in admin_client.get("/tasks/theirs/").content.decode()

    def test_nothing_stores_it_and_nothing_foreign_is_in_it(self, admin_client):
        answer = admin_client.get(ADDRESS)

        assert "no-store" in answer["Cache-Control"]
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert not re.search(r"<script>|<style| style=| on\w+=", answer.content.decode())


@pytest.mark.django_db
def test_it_asks_the_database_a_few_questions_however_much_there_is(admin_client, django_assert_max_num_queries):
    lead(TASK)
    for n in range(RUNS_SHOWN + 1):
        run(n)
    TaskState.objects.bulk_create(TaskState(task=f"t{n}") for n in range(50))

    with django_assert_max_num_queries(
        10
    ):  # session, user; lease, processes, states, running; state, runs, skips twice
        admin_client.get(ADDRESS)
