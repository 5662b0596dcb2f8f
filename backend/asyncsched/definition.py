"""How a task is defined, in sentences: for people who do not want to look it up in the code. Pure."""

import math
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from asyncsched.errors import ScheduleError
from asyncsched.policy import LOCAL, CatchUp, History, Overlap, Scope
from asyncsched.registry import Task, where
from asyncsched.schedules.words import counted, duration

OVERLAP = {
    Overlap.SKIP: "an occurrence that comes while it is still running is skipped",
    Overlap.QUEUE: "an occurrence that comes while it is still running waits; the latest one runs afterwards",
}
CATCH_UP = {
    CatchUp.ONCE: "of missed occurrences the latest runs",
    CatchUp.ALL: "every missed occurrence runs, oldest first",
    CatchUp.NONE: "what was missed is not made up for",
}
HISTORY = {
    History.ALL: "every run has a row",
    History.SUMMARY: "the successes of a minute share a row; what is worth a look has its own",
    History.FAILURES: "only failures and stalls are kept",
    History.NONE: "no runs are kept",
}
SCOPE = {Scope.CLUSTER: "once, in the process that leads", Scope.REPLICA: "in every process"}


def definition(task: Task) -> list[tuple[str, str]]:
    """Return what is to be said of *task*, and what it is."""
    options = task.options
    return [
        ("Schedule", task.schedule.describe()),
        ("Runs", f"{SCOPE[options.scope]}; {_whereabouts(task)}"),
        ("Overlap", OVERLAP.get(options.overlap) or f"up to {counted(options.concurrency, 'run')} at once"),
        ("Catching up", _catch_up(task)),
        ("Timeout", duration(options.timeout) if options.timeout else "none"),
        ("Retries", _retries(task)),
        ("After failures", _rest(task)),
        ("Alert", _alert(task)),
        ("History", "every run has a row" if task.is_claimed else HISTORY[options.history]),
        ("Condition", "its enabled_when is asked before each run" if options.enabled_when else "none"),
        *(("Besides", text) for text in _extras(task)),
        ("Code", where(task.function)),
    ]


def coming(task: Task, after: datetime, most: int = 10) -> list[datetime]:
    """Return the next occurrences by the schedule alone, in UTC: whether it is paused or not, and without jitter."""
    found: list[datetime] = []
    with suppress(ScheduleError):  # none is left before the year 9999 ends
        while len(found) < most:
            found.append(task.schedule.next_after(found[-1] if found else after))
    return found


def _whereabouts(task: Task) -> str:
    if task.options.executor != LOCAL:
        return f"handed off to {task.options.executor}"
    return "on the event loop" if task.is_async else "in a thread"


def _catch_up(task: Task) -> str:
    words = CATCH_UP[task.options.catch_up]
    if task.options.catch_up is CatchUp.NONE:
        return words
    return f"{words}, if it is not older than {duration(task.options.catch_up_window.total_seconds())}"


def _retries(task: Task) -> str:
    retry = task.options.retry
    if retry.attempts == 1:
        return "none"
    growing = (
        f", then {retry.factor:g} times as long, at most {duration(retry.max_delay)}" if retry.attempts > 2 else ""
    )
    return f"{counted(retry.attempts - 1, 'more attempt')}, after {duration(retry.delay)}{growing}"


def _rest(task: Task) -> str:
    options = task.options
    if options.suspend_after is None:
        return "it goes on"
    failures = counted(options.suspend_after, "failure")
    return f"after {failures} in a row it rests for {duration(options.suspend_for)}, and longer each time"


def _alert(task: Task) -> str:
    after = task.options.alert_after
    if after is None:
        return "when a success is late by as long as its period, but 5 min to 1 h"
    return "none" if math.isinf(after) else f"when a success is late by {duration(after)}"


def _extras(task: Task) -> Iterator[str]:
    if task.options.run_on_start:
        yield "it also runs when the scheduler starts"
    if task.options.rerun_abandoned:
        yield "if its process dies in the middle of a run, the next one runs the occurrence again"
