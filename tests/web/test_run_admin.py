"""Runs in the admin: those that share a row, and a search that stays quick in a long history."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from asyncsched.admin.runs import MOST_SEARCHED
from asyncsched.models import TaskRun

pytestmark = pytest.mark.django_db

RUNS = "/admin/asyncsched/taskrun/"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(number, task="any", **facts):
    at = NOON + timedelta(seconds=number)
    return TaskRun(
        run_id=uuid.uuid4(),
        task=task,
        replica="here",
        scheduled_for=at,
        started_at=at,
        status="succeeded",
        trigger="schedule",
        **facts,
    )


def found(client, query):
    return [row.task for row in client.get(f"{RUNS}?{query}").context["cl"].result_list]


def test_a_row_that_runs_share_says_how_many(admin_client):
    run(0, count=29).save()

    assert '<td class="field-count">29</td>' in admin_client.get(RUNS).content.decode()


def test_the_search_looks_through_the_latest_of_what_is_selected(admin_client):
    TaskRun.objects.bulk_create([run(0, "rare", error="no route"), *(run(1 + n) for n in range(MOST_SEARCHED))])

    assert found(admin_client, "q=no+route") == []
    assert found(admin_client, "q=no+route&task=rare") == ["rare"]
    TaskRun.objects.filter(started_at=NOON + timedelta(seconds=1)).delete()
    assert found(admin_client, "q=no+route") == ["rare"]
