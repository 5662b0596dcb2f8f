"""The scheduler itself has died: a command finds it out and tells people, once."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.support import django_process
from tests.support.servers import DAPHNE, ROOT, Server

pytestmark = pytest.mark.e2e


def query(database, statement):
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def look(database_url, **environment):
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "async_tasks", "status", "--alert"],
        env=django_process.environment(database_url, **environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_after_the_server_was_killed_a_look_from_outside_tells_people_once(people, tmp_path, receiver):
    database = people.copied_to(tmp_path)
    url = f"sqlite:///{database}"
    environment = {"DATABASE_URL": url, "NOTIFY_URLS": receiver.url}
    with Server(DAPHNE, folder=tmp_path, environment=environment) as server:
        succeeded = "SELECT 1 FROM asyncsched_taskstate WHERE task LIKE 'broadcast%' AND last_success_at IS NOT NULL"
        server.wait_until(lambda: query(database, succeeded))
        server.send(signal.SIGKILL)
        server.process.wait()
    # Time goes by.
    query(database, "UPDATE asyncsched_taskstate SET last_success_at = datetime(last_success_at, '-2 hours')")
    query(database, "UPDATE asyncsched_replica SET started_at = datetime(started_at, '-1 day')")

    first, second = look(url, NOTIFY_URLS=receiver.url), look(url, NOTIFY_URLS=receiver.url)

    assert (first.returncode, second.returncode) == (1, 1)
    assert "broadcast_system_status has not succeeded in time" in first.stdout
    (title,), (body,) = receiver.titles, receiver.bodies
    assert title.endswith("not succeeded in time")
    assert "broadcast_system_status" in body
    assert body.endswith("No process runs the scheduler, so no other task runs either.")
