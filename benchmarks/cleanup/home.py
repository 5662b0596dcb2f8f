"""The alarm backend's database, with many expired events, and two ways to delete them. Needs Django set up."""

import time

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from alarm.models import AlarmEvent
from asyncsched.models import TaskRun, TaskState
from retention.limits import cutoff

TASK = "cleanup_old_events"
KEPT = 10_000  # rows that have not expired
LOOK_EVERY = 0.1  # seconds
PATIENCE = 600.0  # seconds
FILL = """
    INSERT INTO alarm_alarmevent (kind, message, source, details, created_at)
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)
    SELECT 'motion', 'somebody walked past camera ' || n, 'frigate', '{{"score": 0.71}}', {moment} FROM numbers
"""
MOMENTS = {
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now', '-' || (%s * 86400 - n) || ' seconds')",
    "postgresql": "now() - make_interval(days => %s) + n * interval '1 second'",
}


def prepare(rows: int) -> str:
    """Make the tables, put *rows* expired events and some newer ones there; return the cookie of an administrator."""
    call_command("migrate", verbosity=0)
    fill = FILL.format(moment=MOMENTS[connection.vendor])
    with connection.cursor() as cursor:
        for count, days in ((rows, 1_000), (KEPT, 1)):
            cursor.execute(fill, [count, days])
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("admin"))
    return f"sessionid={client.session.session_key}"


def in_batches() -> float:
    """Ask the server for the clean-up; return, when it has ended, how many seconds it took."""
    TaskState.objects.update_or_create(task=TASK, defaults={"run_asked_at": timezone.now(), "run_asked_by": "bench"})
    run = _ended_run()
    if run.status != "succeeded" or run.duration is None:
        raise RuntimeError(f"the clean-up {run.status}: {run.error}")
    return float(run.duration)


def _ended_run() -> TaskRun:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if run := TaskRun.objects.filter(task=TASK, finished_at__isnull=False).first():
            return run
        time.sleep(LOOK_EVERY)
    raise RuntimeError("the clean-up did not end in time")


def in_one_delete() -> float:
    """Delete all in one statement; return how many seconds it took."""
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM alarm_alarmevent WHERE created_at < %s", [cutoff("RETAIN_ALARM_EVENTS_DAYS")])
    return time.monotonic() - started


WAYS = {"batches": in_batches, "delete": in_one_delete}


def left() -> int:
    """Return how many events are in the table."""
    return AlarmEvent.objects.count()
