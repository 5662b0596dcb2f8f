"""``manage.py async_tasks …``: adapts the command line, nothing else."""

import asyncio
import json
from argparse import ArgumentParser
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from asyncsched import conf
from asyncsched.engine.context import Run
from asyncsched.errors import AsyncschedError, UnknownTask
from asyncsched.management import arguments, history, sentences, status, status_text
from asyncsched.management.manual import Attempted, ManualRuns
from asyncsched.management.names import require_code, require_known
from asyncsched.management.tables import moment, table
from asyncsched.management.upcoming import upcoming
from asyncsched.registry import Task, registry
from asyncsched.server import compose
from asyncsched.storage.history import is_known
from asyncsched.storage.queries import task_views
from asyncsched.storage.requests import set_paused

FAILED, USAGE, REFUSED = 1, 2, 3


class Command(BaseCommand):
    """List the scheduled tasks, say what comes, what was and whether all is well; run, pause and resume them."""

    help = "List the scheduled tasks, say what comes, what was and whether all is well; run, pause and resume them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.add_arguments(parser)

    def handle(self, *args: Any, subcommand: str, **options: Any) -> None:
        try:
            if subcommand == "list":
                self._list(as_json=options["json"])
            elif subcommand == "run":
                self._run(**options)
            elif subcommand == "next":
                self._next(count=options["count"], until=options["until"], as_json=options["json"])
            elif subcommand == "history":
                self._history(**options)
            elif subcommand == "status":
                self._status(as_json=options["json"])
            else:
                self._set_paused(options["names"], value=subcommand == "pause")
        except UnknownTask as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except AsyncschedError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            reason = " ".join(str(error).split())  # PostgreSQL tells it in several lines
            raise CommandError(f"{reason}: is the database there, and has 'manage.py migrate' been run?") from error

    def _list(self, *, as_json: bool) -> None:
        views = task_views(compose.tasks(conf.load()), timezone.now())
        if as_json:
            self._print_json([view.as_json() for view in views])
        elif views:
            self.stdout.write(table(sentences.LIST_HEADER, [sentences.list_row(view) for view in views]))
        else:
            self.stdout.write("No tasks are registered: put @register functions into an installed app's tasks.py.")

    def _run(self, *, names: list[str], timeout: float | None, force: bool, json: bool, **options: Any) -> None:
        if bool(names) == options["all"]:
            raise CommandError("name the tasks to run, or say --all", returncode=USAGE)
        settings = conf.load()
        require_code(names, registry)
        tasks = [task for task in compose.tasks(settings) if options["all"] or task.name in names]
        if timeout is not None:
            tasks = [replace(task, options=replace(task.options, timeout=timeout)) for task in tasks]
        runs = ManualRuns(
            store=compose.store(settings),
            executor=compose.executor(settings),
            on_start=self._announce,
            on_progress=self._show_progress,
            force=force,
        )
        try:
            attempted = asyncio.run(runs.run(tasks))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise CommandError("interrupted; the run is recorded as cancelled", returncode=FAILED) from None
        self._report(attempted, as_json=json)

    def _next(self, *, count: int | None, until: datetime | None, as_json: bool) -> None:
        now = timezone.now()
        running = {view.name for view in task_views(compose.tasks(conf.load()), now) if view.next_run}
        tasks = {task.name: task for task in compose.tasks(conf.load()) if task.name in running}
        runs = iter(upcoming(tasks.values(), now, until))
        coming = list(islice(runs, count or (arguments.FEW_COMING if until is None else arguments.MOST_COMING)))
        if as_json:
            self._print_json([{"task": run.task, "scheduled_for": run.scheduled_for.isoformat()} for run in coming])
        else:
            rows = [(moment(run.scheduled_for), run.task, tasks[run.task].schedule.describe()) for run in coming]
            self.stdout.write(table(("WHEN", "TASK", "SCHEDULE"), rows))
        if until is not None and count is None and next(runs, None):
            self.stderr.write(f"Cut after {arguments.MOST_COMING}: more are to come until then.")

    def _history(self, *, name: str | None, json: bool, **options: Any) -> None:
        task = next((task for task in compose.tasks(conf.load()) if task.name == name), None)
        if name is not None and task is None and not is_known(name):
            require_known([name], registry)
        query = history.Query.of(name=name, **options)
        if json:
            self._print_json(query.as_json())
        else:
            self.stdout.write(query.as_text(task))

    def _status(self, *, as_json: bool) -> None:
        settings = conf.load()
        found = status.status(compose.tasks(settings), settings)
        if as_json:
            self._print_json(found.as_json())
        else:
            style = self.style.SUCCESS if found.is_healthy else self.style.ERROR
            self.stdout.write(style(status_text.verdict(found)))
            self.stdout.write(f"\n{status_text.details(found)}")
        if not found.is_healthy:
            raise SystemExit(FAILED)

    def _set_paused(self, names: list[str], *, value: bool) -> None:
        require_known(names, registry)
        for name in names:
            changed = set_paused(name, value=value)
            state = "paused" if value else "running"
            self.stdout.write(f"{name}: {state}" if changed else f"{name}: was already {state}")

    def _report(self, attempted: list[Attempted], *, as_json: bool) -> None:
        if as_json:
            self._print_json([one.as_json() for one in attempted])
        else:
            self._clear_line()
            for one in attempted:
                self.stdout.write(sentences.of_attempt(one))
        if any(one.result and not one.succeeded for one in attempted):
            raise SystemExit(FAILED)
        if any(one.refusal for one in attempted):
            raise SystemExit(REFUSED)

    def _print_json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False))

    def _announce(self, task: Task) -> None:
        if self.stderr.isatty():
            self._clear_line()
            self.stderr.write(f"{task.name} ...", ending="")

    def _show_progress(self, run: Run) -> None:
        if self.stderr.isatty():
            share = f" of {run.total} ({run.done / run.total:.0%})" if run.total else ""
            self._clear_line()
            self.stderr.write(f"{run.task} ... {run.done}{share}", ending="")

    def _clear_line(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")
