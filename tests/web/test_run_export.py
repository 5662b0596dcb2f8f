"""History as CSV: the runs that are selected or filtered, in a file that a spreadsheet can open without harm."""

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import AsyncClient

from asyncsched.admin import export
from asyncsched.models import TaskRun

RUNS = "/admin/asyncsched/taskrun/"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(number=0, task="any", **facts):
    at = NOON + timedelta(seconds=number)
    defaults = {"scheduled_for": at, "started_at": at, "status": "succeeded", "trigger": "schedule"}
    return TaskRun(run_id=uuid.uuid4(), task=task, replica="here", **(defaults | facts))


def rows(response):
    """Return the rows of the file without the header."""
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))[1:]


@pytest.mark.django_db
def test_the_filtered_runs_are_exported_newest_first_with_their_facts(admin_client):
    TaskRun.objects.bulk_create([run(1), run(2, status="failed", error="OSError: no route", lateness=-0.25)])
    response = admin_client.get(f"{RUNS}export/?status=failed")
    (row,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))

    assert response["Content-Disposition"] == 'attachment; filename="runs.csv"'
    assert (row["task"], row["status"], row["lateness"], row["error"]) == (
        "any",
        "failed",
        "-0.25",
        "OSError: no route",
    )
    assert (row["started_at"], row["finished_at"]) == ("2026-11-23T12:00:02+00:00", "")
    assert len(rows(admin_client.get(f"{RUNS}export/"))) == 2


@pytest.mark.django_db
def test_the_selected_runs_are_exported(admin_client):
    TaskRun.objects.bulk_create([run(number) for number in range(3)])
    chosen = TaskRun.objects.order_by("started_at").first()
    response = admin_client.post(RUNS, {"action": "export_selected", "_selected_action": [chosen.pk]})

    assert [row[5] for row in rows(response)] == ["2026-11-23T12:00:00+00:00"]


@pytest.mark.django_db
def test_the_list_leads_to_the_export_of_what_it_shows(admin_client):
    page = admin_client.get(f"{RUNS}?status=failed&q=route").content.decode()

    assert 'href="/admin/asyncsched/taskrun/export/?q=route&amp;status=failed"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1"])
def test_no_text_becomes_a_formula(admin_client, text):
    run(error=text, task="=cmd").save()
    ((task, *_, error, _, _, _),) = rows(admin_client.get(f"{RUNS}export/"))

    assert (task, error) == ("'=cmd", f"'{text}")


@pytest.mark.django_db
def test_runs_of_one_instant_are_all_exported_and_each_once(admin_client, django_assert_max_num_queries):
    count = export.CHUNK + 200
    TaskRun.objects.bulk_create([run(0, attempt=number, error=str(number)) for number in range(count)])
    with django_assert_max_num_queries(20):  # and not one for each run
        found = rows(admin_client.get(f"{RUNS}export/"))

    assert sorted(int(row[12]) for row in found) == list(range(count))


@pytest.mark.django_db
def test_who_may_not_look_at_runs_exports_none(client, django_user_model):
    user = django_user_model.objects.create_user("sam", is_staff=True)
    client.force_login(user)
    assert client.get(f"{RUNS}export/").status_code == 403

    user.user_permissions.set([Permission.objects.get(codename="view_taskrun")])
    assert client.get(f"{RUNS}export/").status_code == 200
    assert client.post(f"{RUNS}export/").status_code == 405


@pytest.mark.django_db
def test_an_export_of_what_no_filter_offers_is_refused(admin_client):
    assert admin_client.get(f"{RUNS}export/?when=someday").status_code == 400
    assert admin_client.get(f"{RUNS}export/?traceback__contains=x").status_code == 400


@pytest.mark.django_db(transaction=True)
async def test_under_asgi_the_file_is_made_beside_the_loop(admin_user):
    await TaskRun.objects.abulk_create([run(number) for number in range(3)])
    client = AsyncClient()
    await client.aforce_login(admin_user)
    response = await client.get(f"{RUNS}export/")

    assert response.is_async
    assert b"".join([part async for part in response.streaming_content]).count(b"\r\n") == 4
