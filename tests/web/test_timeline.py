"""The timeline: what the server draws of the past hour and the coming one."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.utils import timezone

from asyncsched import Cron, DailyAt, Every
from asyncsched.models import LoopStall, TaskRun, TaskSkip, TaskState
from asyncsched.storage.history import PastSkip
from asyncsched.storage.timeline import Past, Ran, Stalled
from asyncsched.web.timeline import MOST_ROWS, chart
from tests.engine.conftest import make_task

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HERE, THERE = "host:10:aaaaaaaaaaaa", "host:20:bbbbbbbbbbbb"
ADDRESS = "/tasks/timeline"
TASK = "cleanup_old_events"


@pytest.fixture
def admin_client(client, django_user_model):
    """An administrator who is signed in. Without a password: to hash one takes longer than a test."""
    client.force_login(django_user_model.objects.create(username="admin", is_staff=True, is_superuser=True))
    return client


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def ran(minutes, lasts=0.1, *, task="job", status="succeeded", **facts):
    """A run that began *minutes* from noon, and lasted so many minutes."""
    is_over = status != "running"
    told = {
        "run_id": uuid.uuid4(),
        "count": 1,
        "started_at": at(minutes),
        "finished_at": at(minutes + lasts) if is_over else None,
        "duration": lasts * 60 if is_over else None,
        "replica": HERE,
        "error_start": "",
    }
    return Ran(task=task, status=status, **(told | facts))


def drawn(*runs, tasks=(), skips=(), stalls=(), paused=()):
    past = Past(
        runs=tuple(sorted(runs, key=lambda run: run.started_at, reverse=True)),
        skips=tuple(skips),
        stalls=tuple(stalls),
        paused=frozenset(paused),
        runs_since=at(-60),
        is_complete=True,
    )
    return chart(tasks, past, NOW)


def job(schedule, **options):
    return make_task(schedule=schedule, name="job", **options)


def bars(row):
    """What each bar of a row is: class, place and width in per cent, and its words."""
    found = re.findall(
        r"<title>([^<]*)</title><(?:rect|circle) class=\"(\w+)\" c?x=\"([\d.]+)%\"(?:[^>]*? width=\"([\d.]+)%\")?",
        row.drawing,
    )
    return [(kind, float(x), float(width or 0), unescape(words)) for words, kind, x, width in found]


class TestBars:
    def test_now_is_in_the_middle_and_an_hour_is_half_the_width(self):
        ((_, x, width, _),) = bars(drawn(ran(-60, lasts=30)).rows[0])

        assert (x, width) == (0, 25)
        assert drawn().present == "50.00%"

    def test_a_bar_says_when_how_and_for_how_long_and_why(self):
        ((kind, *_, words),) = bars(drawn(ran(-15, status="failed", error_start="no <route>")).rows[0])

        assert kind == "failed"
        assert words == "11:45:00, failed, after 6.0 s, host:10, no <route>"

    def test_a_bar_leads_to_its_run(self):
        run = ran(-15)

        assert f'href="/runs/{run.run_id}/"' in drawn(run).rows[0].drawing

    def test_a_run_of_a_millisecond_is_wide_enough_to_be_seen(self):
        ((_, _, width, _),) = bars(drawn(ran(-15, lasts=1 / 60_000)).rows[0])

        assert width == 0.3

    def test_a_run_that_goes_on_reaches_until_now_wherever_it_began(self):
        rows = drawn(ran(-30, status="running"), ran(-90, status="running", task="old")).rows

        assert [bars(row)[0][1:3] for row in rows] == [(25, 25), (0, 50)]

    def test_runs_that_share_a_row_cover_their_minute_and_say_how_many_they_are(self):
        ((_, _, width, words),) = bars(drawn(ran(-12, lasts=1, count=30, duration=0.02)).rows[0])

        assert width == 0.83
        assert words == "11:48:00 to 11:49:00, 30 runs succeeded, the longest in 20 ms, host:10"

    def test_how_a_run_ended_shows_without_colour(self):
        statuses = ["succeeded", "failed", "timed_out", "abandoned", "cancelled", "running"]
        drawing = drawn(*(ran(-50 + 5 * n, status=status) for n, status in enumerate(statuses))).rows[0].drawing

        heights = dict(re.findall(r'<rect class="(\w+)"[^>]* height="(\d+)"', drawing))

        assert set(heights) == set(statuses)
        assert heights["failed"] != heights["running"] != heights["succeeded"] != heights["failed"]

    def test_the_tabulator_key_stops_once_in_each_row_at_the_newest(self):
        drawing = drawn(ran(-30), ran(-20), ran(-10)).rows[0].drawing

        assert re.findall(r'tabindex="(-?\d)"', drawing) == ["-1", "-1", "0"]


class TestProcesses:
    def test_one_process_needs_no_colour(self):
        found = drawn(ran(-15), ran(-10))

        assert found.processes == ()
        assert "who-" not in found.rows[0].drawing

    def test_each_of_several_has_one_and_a_name(self):
        found = drawn(ran(-15), ran(-10, replica=THERE, task="other"))

        assert [(who.name, who.colour) for who in found.processes] == [("host:10", 0), ("host:20", 1)]
        assert ["who-0" in row.drawing for row in found.rows] == [True, False]

    def test_two_of_one_host_and_number_are_told_apart(self):
        found = drawn(ran(-15, replica="box:1:aaaaaaaa"), ran(-10, replica="box:1:bbbbbbbb"))

        assert [who.name for who in found.processes] == ["box:1:aaaaaa", "box:1:bbbbbb"]


class TestWhatDidNotRun:
    def test_a_skipped_occurrence_is_a_hollow_mark_with_its_reason(self):
        skip = PastSkip(task="job", reason="overlap", count=1, first=at(-30), last=at(-30))

        assert bars(drawn(skips=[skip]).rows[0]) == [
            ("skipped", 25, 0, "11:30:00, skipped: the previous run was still going")
        ]

    def test_several_are_one_mark_as_long_as_they_took(self):
        skip = PastSkip(task="job", reason="paused", count=60, first=at(-60), last=at(-30))

        assert bars(drawn(skips=[skip]).rows[0]) == [
            ("skipped", 0, 25, "11:00:00 to 11:30:00, 60 skipped: the task was paused")
        ]

    def test_a_stall_is_a_column_over_all_rows_and_a_sentence(self):
        found = drawn(stalls=[Stalled(began_at=at(-30), seconds=72, replica=HERE, culprit="task <sync>")])

        assert 'class="stall" x="25.00%" y="0" width="1.00%" height="100%"' in found.columns
        assert found.stalls == ("11:30:00, the event loop of host:10 stood still for 1 min 12 s: task <sync>",)
        assert "<sync>" not in found.columns


class TestWhatComes:
    def test_each_occurrence_of_the_next_hour_is_a_tick(self):
        row = drawn(tasks=[job(Every(900, jitter=30))]).rows[0]

        assert 'viewBox="0 0 3600 20"' in row.drawing
        assert 'd="M900 5v10M1800 5v10M2700 5v10M3600 5v10"' in row.drawing
        assert row.words == "In the last hour: no runs. In the next: 4 runs."

    def test_a_task_below_a_minute_is_a_band_to_the_end(self):
        row = drawn(tasks=[job(Every(2))]).rows[0]

        assert re.findall(r'class="often" x="([\d.]+)%" y="8" width="([\d.]+)%"', row.drawing) == [("50.03", "49.97")]
        assert row.is_often
        assert "every 2 s" in row.words

    def test_a_band_ends_where_the_schedule_rests(self):
        row = drawn(tasks=[job(Cron("*/10 0-14,30-44 * * * *"))]).rows[0]

        assert re.findall(r'class="often" x="([\d.]+)%" y="8" width="([\d.]+)%"', row.drawing) == [
            ("50.14", "12.50"),
            ("75.00", "12.50"),
        ]

    def test_what_comes_later_than_in_an_hour_is_not_shown(self):
        row = drawn(tasks=[job(DailyAt(14))]).rows[0]

        assert row.drawing == ""
        assert "In the next: no runs." in row.words

    @pytest.mark.parametrize(
        ("state", "facts", "paused"), [("paused", {}, ["job"]), ("disabled", {"enabled": False}, [])]
    )
    def test_nothing_comes_of_a_task_that_rests(self, state, facts, paused):
        row = drawn(tasks=[job(Every(60), **facts)], paused=paused).rows[0]

        assert (row.state, row.drawing) == (state, "")
        assert row.words == "In the last hour: no runs."


class TestRows:
    def test_a_task_has_a_row_also_without_any_run_and_a_run_also_without_its_code(self):
        found = drawn(ran(-5, task="gone"), tasks=[make_task(name="b"), make_task(name="a")])

        assert [row.task for row in found.rows] == ["b", "a", "gone"]

    def test_rows_say_in_words_what_they_draw(self):
        skip = PastSkip(task="job", reason="overlap", count=3, first=at(-9), last=at(-8))
        row = drawn(ran(-15, count=30), ran(-12), ran(-10, status="timed_out"), skips=[skip]).rows[0]

        assert row.words == "In the last hour: 1 timed out, 31 succeeded, 3 skipped."

    def test_of_very_many_tasks_the_rest_is_counted(self):
        found = drawn(tasks=[make_task(schedule=DailyAt(3), name=f"task {n}") for n in range(MOST_ROWS + 7)])

        assert (len(found.rows), found.unlisted) == (MOST_ROWS, 7)

    def test_quarters_of_an_hour_are_named_in_the_projects_zone(self):
        with timezone.override("Asia/Kathmandu"):  # 5 hours and three quarters ahead
            assert [text for _, text in drawn().quarters][:3] == ["16:45", "17:00", "17:15"]


@pytest.mark.django_db
class TestThePart:
    def test_it_shows_what_is_in_the_database(self, admin_client):
        now = timezone.now()
        TaskRun.objects.create(
            run_id=uuid.uuid4(),
            task=TASK,
            status="failed",
            trigger="schedule",
            replica=HERE,
            scheduled_for=now,
            started_at=now,
            finished_at=now,
            duration=0.1,
            error="<script>no",
        )
        TaskSkip.objects.create(task="<b>", reason="overlap", first_scheduled_for=now, last_scheduled_for=now, count=1)
        LoopStall.objects.create(began_at=now, seconds=1, replica=HERE, culprit="task <i>", where="tasks.py:1")

        page = admin_client.get(ADDRESS).content.decode()

        assert 'class="failed"' in page
        assert "failed, after 100 ms" in page
        assert "&lt;script&gt;no" in page
        assert "stood still for 1.0 s" in page
        assert not {"<script>no", "<b>", "<i>"} & set(re.findall("<[^>]*>(?:no)?", page))

    def test_it_holds_nothing_that_the_pages_policy_forbids(self, admin_client):
        page = admin_client.get(ADDRESS).content.decode()

        assert not re.search(r"<script|<style| style=| on\w+=", page)

    def test_it_is_for_those_who_may_see_runs(self, client, django_user_model):
        assert client.get(ADDRESS).status_code == 302
        client.force_login(django_user_model.objects.create_user("resident"))
        assert client.get(ADDRESS).status_code == 403

    def test_nothing_stores_it(self, admin_client):
        answer = admin_client.get(ADDRESS)

        assert "no-store" in answer["Cache-Control"]
        assert "script-src 'self'" in answer["Content-Security-Policy"]

    def test_what_was_too_much_to_show_is_said(self, admin_client):
        now = timezone.now()
        TaskSkip.objects.bulk_create(
            TaskSkip(task=TASK, reason="overlap", first_scheduled_for=when, last_scheduled_for=when, count=1)
            for when in (now - timedelta(seconds=n) for n in range(501))
        )

        assert "There is too much to show it all" in admin_client.get(ADDRESS).content.decode()

    def test_it_asks_the_database_a_few_questions_however_much_there_is(
        self, admin_client, django_assert_max_num_queries
    ):
        now = timezone.now()
        moments = [now - timedelta(minutes=n) for n in range(90)]
        TaskRun.objects.bulk_create(
            TaskRun(run_id=uuid.uuid4(), task=f"t{n}", status="succeeded", scheduled_for=when, started_at=when)
            for n, when in enumerate(moments)
        )
        TaskState.objects.bulk_create(
            TaskState(task=f"t{n}", last_started_at=when, last_finished_at=now) for n, when in enumerate(moments)
        )

        with django_assert_max_num_queries(8):  # session and user, and what storage.timeline asks
            admin_client.get(ADDRESS)
