"""The page of a run and the page of a task."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from asyncsched import conf
from asyncsched.definition import coming, definition
from asyncsched.engine.runs import RunStatus
from asyncsched.registry import Task
from asyncsched.server import compose
from asyncsched.storage import one_run, one_task
from asyncsched.storage.history import PastRun
from asyncsched.storage.paging import Cursor
from asyncsched.storage.presence_views import short_name
from asyncsched.storage.situations import Situation
from asyncsched.web.access import may_run, news_address, page
from asyncsched.web.health import running_of
from asyncsched.web.words import status_word, took, trigger_words

RUNS_SHOWN = 50
SKIPS_SHOWN = 20
NAMES_SUGGESTED = 3

# How a task stands: as its page says it, and the status whose colour that has.
SITUATIONS = {
    Situation.RUNNING: ("A run goes on.", RunStatus.RUNNING),
    Situation.WAITING: ("It runs at its next occurrence.", RunStatus.SUCCEEDED),
    Situation.PAUSED: ("It does not run until somebody resumes it.", ""),
    Situation.DISABLED: ("It is registered with enabled=False, so it runs by hand only.", ""),
    Situation.SUSPENDED: ("It rests after repeated failures, and is tried again now and then.", RunStatus.FAILED),
    Situation.OVERDUE: ("Its next occurrence has passed, and nobody runs it.", RunStatus.FAILED),
    Situation.UNSERVED: ("No process runs it at present.", RunStatus.FAILED),
    Situation.PARKED: ("No live process has its code. Its history stays.", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """A run, and how the pages say it."""

    run: PastRun

    @property
    def status(self) -> str:
        return status_word(self.run.status)

    @property
    def is_running(self) -> bool:
        return self.run.status == RunStatus.RUNNING

    @property
    def took(self) -> str:
        """How long it took, of several the longest; empty if it has not ended, or never began."""
        has_run = self.run.duration is not None and self.run.status != RunStatus.SKIPPED
        return took(self.run.duration or 0.0) if has_run else ""

    @property
    def late(self) -> str:
        """How late it began; empty if that is not known."""
        return "" if self.run.lateness is None else took(self.run.lateness)

    @property
    def stalled(self) -> str:
        """For how long it blocked the event loop; empty if it did not."""
        return "" if self.run.stall_seconds is None else took(self.run.stall_seconds)

    @property
    def trigger(self) -> str:
        return trigger_words(self.run.trigger)

    @property
    def process(self) -> str:
        return short_name(self.run.replica)


@page
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Tell all of one run; or, in words, that it is gone."""
    found = one_run.detail(run_id)
    if found is None:
        sentence = "History has no such run. It may have been deleted: runs are kept for a while only."
        return _missing(request, "No such run", sentence)
    scope, now = getattr(request, "scope", {}), timezone.now()
    context = {
        "found": found,
        "shown": ShownRun(run=found.run),
        "attempts": [ShownRun(run=one) for one in found.attempts] if len(found.attempts) > 1 else [],
        "progress": next((one for one in running_of(scope) if one.claim.run_id == found.run.run_id), None),
        "elapsed": took(max(0.0, (now - found.run.started_at).total_seconds())),
        "now": now,
        "time_zone": timezone.get_current_timezone_name(),
        "runs_socket": news_address(),
    }
    return render(request, "asyncsched/run.html", context)


@page
def task(request: HttpRequest, name: str) -> HttpResponse:
    """Tell how a task is defined, how it stands, when it runs, and how its runs went, a page of them at a time."""
    settings = conf.load()
    codes = {one.name: one for one in compose.tasks(settings)}
    known = one_task.everything(codes.values(), is_elected=settings.election)
    standing = known.tasks.get(name)
    if standing is None:
        similar = difflib.get_close_matches(name, known.tasks, n=NAMES_SUGGESTED)
        return _missing(request, "No such task", f"No task is called {name}.", similar)
    try:
        behind = Cursor.of(request.GET["older"]) if "older" in request.GET else None
    except ValueError:
        return _missing(request, "No such page", f"The address names no place among the runs of {name}.")
    now = timezone.now()
    found = one_task.detail(name, now=now, behind=behind, most_runs=RUNS_SHOWN, most_skips=SKIPS_SHOWN)
    code = codes.get(name)
    context = {
        "standing": standing,
        "situation": SITUATIONS[standing.situation],
        "who": [known.called.get(one, short_name(one)) for one in standing.known_by],
        "found": found,
        "runs": [ShownRun(run=one) for one in found.runs.runs],
        "is_latest": behind is None,
        "is_often": code is not None and code.schedule.is_subminute,
        "may_run_tasks": code is not None and may_run(request.user),
        "now": now,
        "time_zone": timezone.get_current_timezone_name(),
        "runs_socket": news_address(),
        "here": request.path,
    }
    return render(request, "asyncsched/task.html", context | (_defined(code, now) if code else {}))


def _defined(code: Task, now: datetime) -> dict[str, Any]:
    """Return what only the code of a task tells."""
    return {"description": code.options.description, "definition": definition(code), "coming": coming(code, now)}


def _missing(request: HttpRequest, title: str, sentence: str, similar: Sequence[str] = ()) -> HttpResponse:
    context = {"title": title, "sentence": sentence, "similar": similar}
    return render(request, "asyncsched/missing.html", context, status=HTTPStatus.NOT_FOUND)
