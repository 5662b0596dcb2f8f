"""``async_tasks show``: one run with all that is known of it."""

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from asyncsched import conf
from asyncsched.engine.runs import RunStatus
from asyncsched.management.history_tables import out_of_the_ordinary, status, took
from asyncsched.management.names import require_known
from asyncsched.management.parser import FAILED, USAGE
from asyncsched.management.screen import Screen
from asyncsched.management.tables import from_now, moment, one_line, seconds
from asyncsched.management.tones import Tone, tone_of
from asyncsched.server import compose
from asyncsched.storage import run_ids
from asyncsched.storage.history import PastRun, is_known
from asyncsched.storage.one_run import RunDetail, detail

_ID = re.compile("[0-9a-f]{4,32}")
_LABEL = 15  # characters


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``show`` takes."""
    parser.add_argument("run", metavar="RUN", help="its id or the beginning of it, or a task: then its latest run")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON object")


def handle(screen: Screen, *, run: str, json: bool, **options: Any) -> None:
    """Carry out ``show``."""
    found = detail(_find(run))
    if found is None:
        raise CommandError(f"no run has the id {run}: 'async_tasks history --json' tells those that there are")
    if json:
        screen.json(_as_json(found))
    else:
        _show(screen, found)


def _find(text: str) -> UUID:
    """Return the id of the run that *text* means; raise CommandError or UnknownTask if that is none, or several."""
    if is_known(text):
        return _latest(text)
    digits = text.replace("-", "").lower()
    if not _ID.fullmatch(digits):
        require_known([text], compose.tasks(conf.load()))
        return _latest(text)
    if len(digits) == 32:
        return UUID(digits)
    found = run_ids.beginning_with(digits)
    if len(found) > 1:
        raise CommandError(f"{len(found)} runs have ids that begin with {text}: say more of it", returncode=USAGE)
    if not found:
        raise CommandError(f"of the latest {run_ids.MOST_READ} runs no id begins with {text}", returncode=FAILED)
    return found[0]


def _latest(task: str) -> UUID:
    latest = run_ids.latest_of(task)
    if latest is None:
        raise CommandError(f"no runs of {task} are recorded", returncode=FAILED)
    return latest


def _show(screen: Screen, found: RunDetail) -> None:
    run = found.run
    screen.say(f"{run.task}: {status(run).replace('_', ' ')}", tone_of(run.status))
    for label, text in _facts(found, timezone.now()):
        screen.say(f"  {label:{_LABEL}}{one_line(text)}")
    for head, text in (("Traceback", found.traceback), ("Log", found.log)):
        if text:
            screen.say(f"\n{head}:", Tone.QUIET)
            screen.say("\n".join(f"  {one_line(line.expandtabs())}" for line in text.splitlines()))


def _facts(found: RunDetail, now: datetime) -> Iterator[tuple[str, str]]:
    run = found.run
    yield "run", run.run_id
    yield "scheduled for", moment(run.scheduled_for)
    yield "started", _when(run.started_at, now)
    if run.finished_at is not None:
        yield "finished", _when(run.finished_at, now)
    elif found.heartbeat_at is not None:
        yield "last heard of", _when(found.heartbeat_at, now)
    if run.duration is not None and run.status != RunStatus.SKIPPED:
        yield "took", took(run)
    if run.lateness is not None:
        yield "late by", seconds(run.lateness)
    yield "on", run.replica + (f", in term {run.term}" if run.term is not None else "")
    if found.handed_to:
        yield "handed off to", found.handed_to
    yield from _texts(found)


def _texts(found: RunDetail) -> Iterator[tuple[str, str]]:
    run = found.run
    if notes := out_of_the_ordinary(run):
        yield "notes", "; ".join(notes)
    others = [other for other in found.attempts if other.run_id != run.run_id]
    if others:
        yield "beside it", "; ".join(f"{other.run_id} {other.status}" for other in others)
    if run.result:
        yield "result", run.result
    if run.error:
        yield "error", run.error


def _when(at: datetime, now: datetime) -> str:
    return f"{moment(at)} ({from_now(at, now)})"


def _as_json(found: RunDetail) -> dict[str, Any]:
    """Return what ``--json`` prints: what ``history --json`` has of a run, and its long texts."""
    others: list[PastRun] = [other for other in found.attempts if other.run_id != found.run.run_id]
    return found.run.as_json() | {
        "traceback": found.traceback or None,
        "log": found.log or None,
        "heartbeat_at": found.heartbeat_at.isoformat() if found.heartbeat_at else None,
        "handed_to": found.handed_to or None,
        "same_occurrence": [other.run_id for other in others],
    }
