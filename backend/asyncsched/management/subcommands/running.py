"""``async_tasks run``: tasks now, in the foreground."""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError

from asyncsched import conf
from asyncsched.management import sentences
from asyncsched.management.manual import Attempted, ManualRuns
from asyncsched.management.names import require_code
from asyncsched.management.parser import FAILED, REFUSED, USAGE, positive
from asyncsched.management.progress import Progress, open_progress
from asyncsched.management.screen import Screen
from asyncsched.registry import Task
from asyncsched.server import compose


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``run`` takes."""
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="run every task, one after the other")
    parser.add_argument("--timeout", type=positive, metavar="S", help="seconds, in place of the task's own")
    parser.add_argument("--force", action="store_true", help="run it although it is running elsewhere, or not enabled")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON array of results")


def handle(screen: Screen, *, json: bool, force: bool, colour: bool | None, **options: Any) -> int:
    """Carry out ``run``; return the exit code."""
    tasks = _tasks(**options)
    progress = open_progress(screen.err, colour=colour)

    def tell(attempted: Attempted) -> None:
        progress.end()
        if not json:
            screen.say(sentences.of_attempt(attempted), sentences.tone_of_attempt(attempted))

    # What a task prints is not to get among what programs read.
    with redirect_stdout(sys.stderr) if json else nullcontext():
        attempted = _run(tasks, progress, tell, force=force)
    if json:
        screen.json([one.as_json() for one in attempted])
    elif not attempted:
        screen.say(sentences.NO_TASKS)
    return exit_code(attempted)


def exit_code(attempted: Iterable[Attempted]) -> int:
    """Return 0 if all went well, FAILED if a run did not, else REFUSED."""
    if any(one.result and not one.succeeded for one in attempted):
        return FAILED
    return REFUSED if any(one.refusal for one in attempted) else 0


def _tasks(*, names: list[str], timeout: float | None, **options: Any) -> list[Task]:
    """Return the tasks that the command line names, with the time limit that it sets."""
    if bool(names) == options["all"]:
        raise CommandError("name the tasks to run, or say --all", returncode=USAGE)
    known = compose.tasks(conf.load())
    require_code(names, known)
    tasks = [task for task in known if options["all"] or task.name in names]
    if timeout is None:
        return tasks
    return [replace(task, options=replace(task.options, timeout=timeout)) for task in tasks]


def _run(
    tasks: Sequence[Task], progress: Progress, tell: Callable[[Attempted], None], *, force: bool
) -> list[Attempted]:
    settings = conf.load()
    store = compose.store(settings)
    runs = ManualRuns(
        store=store,
        executor=compose.executor(settings, tasks, store.replica),
        on_start=lambda task: progress.begin(task.name),
        on_progress=progress.update,
        on_end=tell,
        force=force,
    )
    try:
        return asyncio.run(runs.run(tasks))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise CommandError("interrupted; the run is recorded as cancelled", returncode=FAILED) from None
    finally:
        progress.end()
