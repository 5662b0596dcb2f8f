"""Django's tasks for tests: their database backend, and its workers as processes of the project."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.test import override_settings

from asyncsched.executors.configured import Setup
from asyncsched.storage.store import DjangoStore
from tests.executors.stage import PROJECT, Stage
from tests.support.servers import Kind, Server

PACKAGE = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
DATABASE = "django_tasks_db"
TASKS = {
    "default": {"BACKEND": f"{DATABASE}.DatabaseBackend", "QUEUES": ["default", "heavy"]},
    "immediate": {"BACKEND": f"{PACKAGE}.backends.immediate.ImmediateBackend"},
    "dummy": {"BACKEND": f"{PACKAGE}.backends.dummy.DummyBackend"},
}


@contextmanager
def tasks_in_settings() -> Iterator[None]:
    """Let this process have TASKS in its settings, and the database backend's table."""
    from django.conf import settings

    with override_settings(TASKS=TASKS, INSTALLED_APPS=[*settings.INSTALLED_APPS, DATABASE]):
        call_command("migrate", "django_tasks_database", verbosity=0)
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoTasksSite:
    """What the test and its workers share."""

    folder: Path
    database_url: str

    @contextmanager
    def worker(self, *, queue: str = "default") -> Iterator[Server]:
        """Start a worker for *queue*; kill it at the end."""
        options = ("--queue-name", queue, "--interval", "0.1", "--no-startup-delay", "--verbosity", "2")
        kind = Kind(name=f"worker {queue}", arguments=("manage.py", "db_worker", *options))
        environment = {
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "settings",
            "ERRANDS_APPS": DATABASE,
            "ERRANDS_EXECUTOR": "tasks",
            "ERRANDS_FOLDER": str(self.folder),
            "ERRANDS_TASKS": json.dumps(TASKS),
        }
        with Server(kind, folder=self.folder, project=PROJECT, environment=environment, dev=False) as worker:
            worker.wait_until_logged("Starting worker")
            yield worker

    def stage(self, **options: Any) -> Stage:
        """Return a stage with an executor that enqueues."""
        from asyncsched.executors.django_tasks import DjangoTasksExecutor  # it looks at TASKS when it is imported

        store = DjangoStore(now=lambda: datetime.now(UTC))
        setup = Setup(name="tasks", replica=store.replica, log_lines=200, options=options)
        return Stage(executor=DjangoTasksExecutor(setup), store=store)
