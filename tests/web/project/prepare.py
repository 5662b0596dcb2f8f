"""Fills the database of DATABASE_URL: people, whose session keys it prints as JSON, and a past of failures."""

import json
import sys
import uuid
from datetime import timedelta

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from asyncsched.models import TaskRun, TaskState  # noqa: E402

PASSWORD = "correct horse battery staple"
NOW = timezone.now()


def session_key(user):
    client = Client()
    client.force_login(user)
    return client.session.session_key


def people():
    users = get_user_model().objects
    viewer = users.create_user("viewer", password=PASSWORD)
    viewer.user_permissions.add(Permission.objects.get(codename="view_tasks"))
    found = {"admin": users.create_superuser("admin", password=PASSWORD), "viewer": viewer}
    return {name: session_key(user) for name, user in found.items()}


def run(task, hours, **facts):
    at = NOW - timedelta(hours=hours)
    return TaskRun(
        run_id=uuid.UUID(int=hours + 1000 * len(task)),
        task=task,
        replica="web-1:1:aa",
        scheduled_for=at,
        started_at=at,
        finished_at=at + timedelta(seconds=1),
        duration=1.0 + hours % 5,
        lateness=0.01,
        trigger="schedule",
        **facts,
    )


def past():
    error = {"error": "LookupError: there is nothing <here>", "traceback": "Traceback (most recent call last):\n  …"}
    TaskRun.objects.bulk_create(run("fails", hours, status="failed", **error) for hours in range(1, 5))
    TaskRun.objects.bulk_create(
        run("count_to_ten", hours, status="succeeded", log="one\ntwo") for hours in range(1, 20)
    )
    for task, status in (("fails", "failed"), ("count_to_ten", "succeeded")):
        last = TaskRun.objects.filter(task=task).latest("started_at")
        TaskState.objects.create(
            task=task,
            last_status=status,
            last_trigger="schedule",
            last_scheduled_for=last.scheduled_for,
            last_started_at=last.started_at,
            last_finished_at=last.finished_at,
            last_duration=last.duration,
            last_error=last.error,
            consecutive_failures=4 if status == "failed" else 0,
            alerted_at=NOW if status == "failed" else None,
            cursor=NOW,
        )


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps(people()))
    past()
