"""The alarm backend as it is deployed: the asgi.py at the root, under plain daphne."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import django_process
from tests.support.servers import DAPHNE, ROOT, Server
from tests.support.site import People

pytestmark = pytest.mark.e2e

TASKS = {
    "asyncsched.prune_history",
    "broadcast_system_status",
    "check_home_assistant",
    "cleanup_expired_sessions",
    "cleanup_frigate_detections",
    "cleanup_old_events",
    "cleanup_orphan_rule_entity_refs",
    "cleanup_rule_action_logs",
    "notifications_send_pending",
    "process_due_rule_runtimes",
    "sync_entity_states",
}


def tasks(database_url: str) -> dict[str, Any]:
    """Return what ``async_tasks list --json`` says, by name."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "async_tasks", "list", "--json"],
        env=django_process.environment(database_url),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return {task["name"]: task for task in json.loads(done.stdout)}


def test_the_tasks_run_in_the_server_and_sigterm_drains_it(people: People, tmp_path: Path) -> None:
    database = people.copied_to(tmp_path)
    url = f"sqlite:///{database}"
    with Server(DAPHNE, folder=tmp_path, environment={"DATABASE_URL": url}) as server:
        server.wait_until(lambda: _is_ready(server))
        server.wait_until(lambda: _has_run(database, "broadcast_system_status"))
        listed = tasks(url)
        assert server.stop() == 0
        assert server.leaks == []
        assert "Traceback" not in server.log
    assert listed.keys() == TASKS
    assert listed["broadcast_system_status"]["last_run"]["status"] == "succeeded"
    assert all(task["next_run"] for task in listed.values())


def _has_run(database: Path, task: str) -> bool:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        query = "SELECT 1 FROM asyncsched_taskstate WHERE task = ? AND last_status != ''"
        return bool(connection.execute(query, [task]).fetchall())


def _is_ready(server: Server) -> bool:
    try:
        return server.get("/readyz", timeout=5).status == 200
    except OSError:
        return False
