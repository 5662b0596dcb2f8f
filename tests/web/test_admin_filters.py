"""Filters of the admin's lists: by time without a look at the table, and by values among the latest rows."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from asyncsched.models import TaskRun, TaskSkip, TaskState

pytestmark = pytest.mark.django_db

RUNS = "/admin/asyncsched/taskrun/"
SKIPS = "/admin/asyncsched/taskskip/"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(task, at):
    facts = {"scheduled_for": at, "started_at": at, "status": "succeeded", "trigger": "schedule", "replica": "here"}
    return TaskRun(run_id=uuid.uuid4(), task=task, **facts)


def listed(client, query, address=RUNS):
    return [row.task for row in client.get(f"{address}?{query}").context["cl"].result_list]


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ("1h", ["now"]),
        ("1d", ["now", "midnight", "yesterday"]),
        ("7d", ["now", "midnight", "yesterday"]),
        ("30d", ["now", "midnight", "yesterday", "long ago"]),
        ("2026-11-23", ["now", "midnight"]),
        ("2026-11-22", ["yesterday"]),
        ("2026-11-01", []),
        ("", ["now", "midnight", "yesterday", "long ago"]),
    ],
)
def test_runs_are_found_by_span_and_by_day_in_the_zone_of_the_project(admin_client, settings, when, found):
    settings.TIME_ZONE = "Europe/Berlin"
    moments = {
        "now": 0,
        "midnight": 13,
        "yesterday": 13.5,
        "long ago": 24 * 14,
    }  # hours ago; Berlin's day began at 23:00
    TaskRun.objects.bulk_create([run(task, NOON - timedelta(hours=hours)) for task, hours in moments.items()])

    with time_machine.travel(NOON + timedelta(seconds=1), tick=False):
        assert listed(admin_client, f"when={when}") == found


@pytest.mark.parametrize("when", ["someday", "2026-13-01", "9999-12-31"])
def test_a_day_that_does_not_exist_shows_the_list_with_a_word_about_it(admin_client, when):
    response = admin_client.get(f"{RUNS}?when={when}")

    assert response.status_code == 302
    assert response["Location"].endswith("?e=1")


def test_another_day_can_be_chosen_without_giving_up_the_other_filters(admin_client):
    page = admin_client.get(f"{RUNS}?task=a&when=7d&p=1&q=x%22%3E").content.decode()
    form = page.partition('class="by-day"')[2].partition("</form>")[0]

    kept = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    assert sorted(kept) == [("q", "x&quot;&gt;"), ("task", "a")]


def test_tasks_that_are_no_longer_registered_can_be_chosen_too(admin_client):
    TaskState.objects.create(task="gone")

    assert 'href="?task=gone"' in admin_client.get(RUNS).content.decode()


def test_reasons_are_found_in_all_of_the_table_and_of_one_task_among_its_latest(admin_client):
    def skip(task, number, reason):
        at = NOON + timedelta(seconds=number)
        return TaskSkip(task=task, reason=reason, first_scheduled_for=at, last_scheduled_for=at, count=1)

    TaskSkip.objects.bulk_create([skip("a", 1, "paused"), skip("b", 2, "paused"), skip("a", 3, "overlap")])

    assert listed(admin_client, "reason=paused", SKIPS) == ["b", "a"]
    assert listed(admin_client, "reason=paused&task=a", SKIPS) == ["a"]


@pytest.mark.parametrize(
    "address",
    ["asyncsched/taskstate/?paused=maybe", "rules/ruleactionlog/?rule=x", "rules/ruleactionlog/?rule=1" + "0" * 30],
)
def test_a_value_that_no_column_can_have_is_answered(client, admin_user, address):
    client.force_login(admin_user)

    assert client.get(f"/admin/{address}").status_code in (200, 302)


@pytest.mark.parametrize("query", ["error__contains=x", "started_at__year=2026", "status__exact=failed"])
def test_an_address_that_asks_for_what_no_filter_offers_is_refused(admin_client, query):
    assert admin_client.get(f"{RUNS}?{query}").status_code == 400


def test_nobody_is_offered_to_have_all_choices_counted(admin_client):
    TaskRun.objects.bulk_create([run("a", NOON)])

    assert "_facets" not in admin_client.get(f"{RUNS}?task=a").content.decode()


def test_a_list_that_is_cut_says_so(admin_client):
    TaskRun.objects.bulk_create([run("a", NOON + timedelta(seconds=number)) for number in range(1_000)])

    assert "Only the first 1000 are counted" in admin_client.get(RUNS).content.decode()
    assert "Only the first" not in admin_client.get(f"{RUNS}?when=2000-01-01").content.decode()
