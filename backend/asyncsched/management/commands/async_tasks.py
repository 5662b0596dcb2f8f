"""``manage.py async_tasks …``: adapts the command line, nothing else."""

import asyncio
import json
import math
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from asyncsched import conf
from asyncsched.engine.context import Run
from asyncsched.engine.runs import RunStatus
from asyncsched.errors import AsyncschedError, UnknownTask
from asyncsched.management import history
from asyncsched.management.manual import Attempted, ManualRuns
from asyncsched.management.tables import moment, seconds, table
from asyncsched.management.upcoming import upcoming
from asyncsched.registry import Task, registry
from asyncsched.server import compose
from asyncsched.storage.history import is_known
from asyncsched.storage.queries import TaskView, task_views
from asyncsched.storage.requests import set_paused

FAILED, USAGE, REFUSED = 1, 2, 3
FEW_COMING, MOST_COMING = 10, 10_000


class Command(BaseCommand):
    """List the scheduled tasks, say what comes next and what was, run them by hand, pause and resume them."""

    help = "List the scheduled tasks, say what comes next and what was, run them by hand, pause and resume them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(
            dest="subcommand", required=True, metavar="{list,run,next,history,pause,resume}"
        )
        listing = commands.add_parser("list", help="every task, when it runs next and how it fared last")
        listing.add_argument("--json", action="store_true", help="for programs: a JSON array")
        running = commands.add_parser("run", help="run tasks now, in the foreground")
        running.add_argument("names", nargs="*", metavar="NAME")
        running.add_argument("--all", action="store_true", help="run every task, one after the other")
        running.add_argument("--timeout", type=_positive, metavar="S", help="seconds, in place of the task's own")
        running.add_argument(
            "--force", action="store_true", help="run it although it is running elsewhere, or not enabled"
        )
        running.add_argument("--json", action="store_true", help="for programs: a JSON array of results")
        coming = commands.add_parser("next", help="the coming occurrences of all tasks, in order")
        coming.add_argument("--count", type=_count, metavar="N", help="how many at most; 10 by default")
        coming.add_argument("--until", type=_moment, metavar="T", help="ISO 8601; all up to then")
        coming.add_argument("--json", action="store_true", help="for programs: a JSON array")
        history.add_arguments(commands.add_parser("history", help="what ran, newest first, and what did not and why"))
        for word, effect in (("pause", "keep tasks from running on schedule"), ("resume", "let them run again")):
            commands.add_parser(word, help=effect).add_argument("names", nargs="+", metavar="NAME")

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
            else:
                self._set_paused(options["names"], value=subcommand == "pause")
        except UnknownTask as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except AsyncschedError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"{error}: is the database there, and has 'manage.py migrate' been run?") from error

    def _list(self, *, as_json: bool) -> None:
        views = task_views(compose.tasks(conf.load()), timezone.now())
        if as_json:
            self._print_json([view.as_json() for view in views])
        elif views:
            self.stdout.write(table(("TASK", "SCHEDULE", "STATE", "NEXT RUN", "LAST RUN"), [_row(v) for v in views]))
        else:
            self.stdout.write("No tasks are registered: put @register functions into an installed app's tasks.py.")

    def _run(self, *, names: list[str], timeout: float | None, force: bool, json: bool, **options: Any) -> None:
        if bool(names) == options["all"]:
            raise CommandError("name the tasks to run, or say --all", returncode=USAGE)
        settings = conf.load()
        for name in names:
            registry.get(name)
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
        coming = list(islice(runs, count or (FEW_COMING if until is None else MOST_COMING)))
        if as_json:
            self._print_json([{"task": run.task, "scheduled_for": run.scheduled_for.isoformat()} for run in coming])
        else:
            rows = [(moment(run.scheduled_for), run.task, tasks[run.task].schedule.describe()) for run in coming]
            self.stdout.write(table(("WHEN", "TASK", "SCHEDULE"), rows))
        if until is not None and count is None and next(runs, None):
            self.stderr.write(f"Cut after {MOST_COMING}: more are to come until then.")

    def _history(self, *, name: str | None, json: bool, **options: Any) -> None:
        task = next((task for task in compose.tasks(conf.load()) if task.name == name), None)
        if name is not None and task is None and not is_known(name):
            registry.get(name)  # says what it may have been meant to be
        query = history.Query.of(name=name, **options)
        if json:
            self._print_json(query.as_json())
        else:
            self.stdout.write(query.as_text(task))

    def _set_paused(self, names: list[str], *, value: bool) -> None:
        for name in names:
            registry.get(name)
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
                self.stdout.write(_sentence(one))
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


def _row(view: TaskView) -> tuple[str, ...]:
    state = "paused" if view.paused else "enabled" if view.enabled else "disabled"
    if view.last_run is None:
        last = "never"
    else:
        last = f"{moment(view.last_run.started_at)} {view.last_run.status}"
        if view.last_run.duration is not None and view.last_run.status != RunStatus.SKIPPED:
            last += f" in {seconds(view.last_run.duration)}"
        if view.consecutive_failures > 1:
            last += f" ({view.consecutive_failures} failures in a row)"
    return view.name, view.schedule, state, moment(view.next_run), last


def _sentence(one: Attempted) -> str:
    if one.result is None:
        return f"{one.task}: refused, it is already running elsewhere (--force runs it all the same)"
    result = one.result
    took = seconds(result.duration)
    if result.status is RunStatus.SUCCEEDED:
        return f"{one.task}: succeeded in {took}" + (f": {result.value}" if result.value else "")
    if result.status is RunStatus.SKIPPED:
        return f"{one.task}: skipped, its enabled_when says no (--force runs it all the same)"
    return f"{one.task}: {result.status} after {took}: {result.error}"


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_COMING:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MOST_COMING}")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-11-24T03:00 or 2026-11-24T03:00+01:00") from None
    return value if timezone.is_aware(value) else timezone.make_aware(value)
