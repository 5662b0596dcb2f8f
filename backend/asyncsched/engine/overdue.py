"""When has a task gone too long without a success? Pure: what is known of it in, the answer out.

The clock starts with the last success, or where there never was one, when a process came up that
knows the task. The next occurrence after that is to succeed, within ``alert_after``.

Not expected is what nobody asks for: an occurrence at which the task was paused, or at which its
``enabled_when`` said no. And what was missed while no process was up is expected only when one has
been up for so long: from its start if the task catches up, else from the next occurrence.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncsched.errors import ScheduleError
from asyncsched.policy import CatchUp, Options
from asyncsched.registry import Task

SHORTEST, LONGEST = 300.0, 3600.0  # seconds: the window of a task that names none
WRITTEN_WITHIN = 90.0  # seconds: how tasks below a minute stand is written once a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of one task. Times are aware, in UTC."""

    last_success_at: datetime | None = None
    excused_until: datetime | None = None
    """The last time at which nothing was expected of it: paused, or not enabled."""
    took: float = 0.0
    """Seconds that its last run took, if that succeeded: the next one may take as long."""
    up_since: datetime | None = None
    """Since when processes that know the task have been up, without a gap; None if that is not known."""
    is_up: bool = False
    """True if one of them still is."""


def due(task: Task, record: Record, now: datetime) -> datetime | None:
    """Return the instant from which the next success of *task* is awaited; None if none is."""
    # Clocks of machines differ. What lies further ahead was written before the clock was set back.
    told = [moment for moment in (record.last_success_at, record.excused_until) if moment]
    known = [min(moment, now) for moment in told if (moment - now).total_seconds() <= SHORTEST]
    start = max(known, default=record.up_since)
    if start is None:
        return None
    try:
        awaited = _next_after(task, start)
        if record.is_up and record.up_since is not None and awaited < record.up_since:
            return _taken_up(task, record.up_since)
    except ScheduleError:  # it has no occurrence left
        return None
    return awaited


def _taken_up(task: Task, up_since: datetime) -> datetime:
    """Return when a process that came up at *up_since* begins to make up for what had been missed."""
    missed = task.schedule.latest_until(up_since)
    is_caught_up = (
        task.options.catch_up is not CatchUp.NONE
        and missed is not None
        and up_since - missed <= task.options.catch_up_window
    )
    return up_since if is_caught_up else _next_after(task, up_since)


def _next_after(task: Task, moment: datetime) -> datetime:
    """Return the first occurrence of *task* that, with all its jitter, cannot have begun by *moment*."""
    return task.schedule.next_after(moment + timedelta(seconds=task.schedule.jitter))


def patience(task: Task, record: Record, awaited: datetime) -> float:
    """Return for how many seconds after *awaited* the success of *task* may keep people waiting."""
    window = task.options.alert_after
    if window is None:
        window = default_window(task.options, _period(task, awaited))
    return window + task.schedule.jitter + record.took + (0.0 if task.is_claimed else WRITTEN_WITHIN)


def default_window(options: Options, period: float) -> float:
    """Return the seconds after an occurrence by which a task that names no ``alert_after`` is to have succeeded.

    As long as its *period*, in seconds, within bounds; and long enough for every attempt, the last
    of which begins before the next occurrence takes its place.
    """
    limit = options.timeout or 0.0
    needed, attempt = limit, 1
    while attempt < options.retry.attempts and needed < period:
        needed += options.retry.delay_after(attempt).total_seconds() + limit
        attempt += 1
    return max(min(needed, period + limit), min(max(period, SHORTEST), LONGEST))


def _period(task: Task, moment: datetime) -> float:
    """Return the seconds between the two occurrences of *task* that follow *moment*."""
    try:
        first = task.schedule.next_after(moment)
        return (task.schedule.next_after(first) - first).total_seconds()
    except ScheduleError:
        return LONGEST


def overdue_since(task: Task, record: Record, now: datetime) -> datetime | None:
    """Return by when *task* was to have succeeded, None if it is in time at *now*."""
    awaited = due(task, record, now)
    if awaited is None:
        return None
    allowed = patience(task, record, awaited)  # may be infinite, or too long for a date
    return awaited + timedelta(seconds=allowed) if (now - awaited).total_seconds() > allowed else None
