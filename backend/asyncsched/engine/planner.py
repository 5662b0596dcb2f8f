"""Policy, pure: given a task, how far it has come and the time, what is to be done now?

The rules, in the order they apply:

1. What was decided on and not claimed yet stays decided on. One run at a time, unless ``overlap="allow"``.
2. A run that somebody asked for goes first, whatever else holds the task back.
3. While the clock is evidently not set, a wall-clock schedule waits for it.
4. A paused or suspended task, or one that another process runs, does nothing else. When it goes on,
   what passed meanwhile is skipped.
5. Of several occurrences that are due at once only the latest counts; the others are coalesced
   into it (with ``catch_up="all"`` they are taken one by one, oldest first).
6. An occurrence that came due while the task's previous run was going on is subject to ``overlap``.
7. One that is late by more than GRACE is subject to ``catch_up`` and its window.
8. A retry waits its turn, and gives way to the next occurrence.

All times here are the task's own: see ``timeline``.
"""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from asyncsched.engine.missed import missed
from asyncsched.engine.progress import Plan, Progress
from asyncsched.engine.runs import Occurrence, Skipped, SkipReason, Trigger
from asyncsched.engine.timeline import clear_of_used
from asyncsched.policy import CatchUp, Overlap
from asyncsched.registry import Task

# Looking a member up in its enum takes 0.1 µs on Python 3.11, and a run needs twenty of them.
ALLOW, QUEUE, SKIP = Overlap.ALLOW, Overlap.QUEUE, Overlap.SKIP
ALL, NONE = CatchUp.ALL, CatchUp.NONE
SCHEDULE, CATCH_UP, MANUAL = Trigger.SCHEDULE, Trigger.CATCH_UP, Trigger.MANUAL

GRACE = timedelta(seconds=60)  # Quartz's misfire threshold
CATCH_UP_PAUSE = timedelta(seconds=0.1)  # from start to start: a backlog is worked off at ten a second, not at once


def plan(task: Task, progress: Progress, now: datetime) -> Plan:  # noqa: PLR0911 - the rules, one by one
    """Decide what *task* is to do at *now*."""
    if progress.due and not progress.stopped:  # the coroutine ended before it could be claimed
        return Plan(progress=progress, run=progress.due, due_at=now)
    if progress.stopped or (_is_busy(progress) and task.options.overlap is not ALLOW):
        return Plan(progress=progress)
    asked_for = _asked_for_at(progress)
    if asked_for is not None and asked_for <= now:
        return _plan_asked_for(task, progress, now)
    waits_for_clock = progress.held and not task.schedule.is_interval
    if progress.paused or progress.standby or not task.options.enabled or waits_for_clock:
        return Plan(progress=progress, wake_at=asked_for)
    if progress.suspended_until is not None:
        if now < progress.suspended_until:
            return Plan(progress=progress, wake_at=min(progress.suspended_until, asked_for or progress.suspended_until))
        return skip(task, progress._replace(suspended_until=None), now, SkipReason.SUSPENDED, wake_at=now)
    return _plan_on_schedule(task, progress, now)


def due_at(task: Task, occurrence: datetime) -> datetime:
    """Return when the run for *occurrence* is to start: jitter is a stable hash of task and occurrence."""
    width = task.schedule.jitter
    if not width:
        return occurrence
    digest = hashlib.blake2b(f"{task.name}@{occurrence.isoformat()}".encode(), digest_size=8).digest()
    position = int.from_bytes(digest) / 2**63 - 1  # in [-1, 1)
    return occurrence + timedelta(seconds=width * position)


def skip(
    task: Task,
    progress: Progress,
    until: datetime,
    reason: SkipReason,
    *,
    wake_at: datetime | None = None,
    lateness: float = 0.0,
) -> Plan:
    """Settle every occurrence up to *until* without running it. *lateness*: seconds since the first was due."""
    skipped = missed(task, progress.cursor, until, reason, lateness=lateness)
    progress = progress._replace(cursor=max(progress.cursor, until))
    return Plan(progress=progress, wake_at=wake_at, skipped=skipped)


def postponed(progress: Progress, occurrence: Occurrence, until: datetime) -> Plan:
    """Put *occurrence* off until *until*. Only one can wait: one that has not run yet goes before a retry."""
    if progress.pending is not None and progress.pending.attempt == 1 and occurrence.attempt > 1:
        return Plan(progress=progress)
    progress, replaced = without_pending(progress, SkipReason.COALESCED)
    return Plan(progress=progress._replace(pending=occurrence, pending_at=until), skipped=replaced)


def without_pending(progress: Progress, reason: SkipReason) -> tuple[Progress, tuple[Skipped, ...]]:
    """Drop what is pending; an occurrence that never ran is skipped for *reason*, a retry just does not happen."""
    pending = progress.pending
    if pending is None:
        return progress, ()
    progress = progress._replace(pending=None, pending_at=None)
    if pending.attempt > 1 or pending.trigger is MANUAL:
        return progress, ()
    return progress, (Skipped(task=pending.task, scheduled_for=pending.scheduled_for, reason=reason),)


def _plan_asked_for(task: Task, progress: Progress, now: datetime) -> Plan:
    if progress.claiming + progress.running >= task.options.concurrency:
        return Plan(progress=progress)  # a place that becomes free wakes the task
    if task.options.overlap is SKIP and progress.busy_until is not None:
        first = task.schedule.next_after(progress.cursor)
        if overlaps(task, progress, due_at(task, first)):  # the run asked for would make it forgotten
            until = max(progress.busy_until, first)  # with jitter it may be due before its instant
            return skip(task, progress, until, SkipReason.OVERLAP, wake_at=now)
    return _plan_pending(progress, now)


def _plan_pending(progress: Progress, now: datetime, next_due_at: datetime | None = None) -> Plan:
    if progress.pending is None or progress.pending_at is None:
        return Plan(progress=progress, wake_at=next_due_at)
    if progress.pending_at > now:
        return Plan(progress=progress, wake_at=min(progress.pending_at, next_due_at or progress.pending_at))
    decided = progress._replace(due=progress.pending, pending=None, pending_at=None)
    return Plan(progress=decided, run=progress.pending, due_at=progress.pending_at)


def _plan_on_schedule(task: Task, progress: Progress, now: datetime) -> Plan:
    before = progress.ahead
    progress, used = clear_of_used(task, progress, now)
    now += progress.ahead - before
    first = task.schedule.following(progress.cursor)
    first_due_at = due_at(task, first)
    if first_due_at > now:
        return _with(used, _plan_pending(_looked_at(progress), now, first_due_at))
    latest = latest_due(task, first, now)
    takes_all = task.options.catch_up is ALL
    if takes_all and task.options.overlap is ALLOW and overlaps(task, progress, now):
        return Plan(progress=progress, skipped=used)  # each has its turn as soon as a place is free
    if takes_all and (progress.claiming or is_undecided(progress)):  # each has its turn, and one at a time
        return _with(used, _plan_pending(progress, now))
    if takes_all and (again_at := _next_catch_up_at(progress, first_due_at, now)):
        return _with(used, _plan_pending(progress, now, again_at))
    progress, superseded = without_pending(progress, SkipReason.COALESCED)
    subject = first if takes_all else latest
    if overlaps(task, progress, due_at(task, subject)) and task.options.overlap is not QUEUE:
        lateness = (now - first_due_at).total_seconds()
        decided = skip(task, progress, subject, SkipReason.OVERLAP, wake_at=now, lateness=lateness)
    else:
        decided = _plan_due(task, progress, first, latest, now=now)
    if decided.progress.jumped:
        decided = replace(decided, progress=_looked_at(decided.progress))
    return _with(used + superseded, decided)


def _looked_at(progress: Progress) -> Progress:
    return progress._replace(jumped=False) if progress.jumped else progress


def _with(skipped: tuple[Skipped, ...], plan: Plan) -> Plan:
    return replace(plan, skipped=skipped + plan.skipped) if skipped else plan


def _next_catch_up_at(progress: Progress, first_due_at: datetime, now: datetime) -> datetime | None:
    """Return until when what was missed has to wait for its turn, None if it need not."""
    if now - first_due_at <= GRACE or progress.busy_since is None:
        return None
    again_at = progress.busy_since + CATCH_UP_PAUSE
    return again_at if again_at > now else None


def _plan_due(task: Task, progress: Progress, first: datetime, latest: datetime, *, now: datetime) -> Plan:
    options = task.options
    first_due_at = due_at(task, first)
    lateness = (now - first_due_at).total_seconds()
    tolerated = GRACE if options.catch_up is NONE else options.catch_up_window
    is_queued = options.overlap is QUEUE and overlaps(task, progress, due_at(task, latest))
    too_late = SkipReason.CLOCK_STEP if progress.jumped else SkipReason.MISFIRE
    if now - due_at(task, latest) > tolerated and not is_queued:
        return skip(task, progress, latest, too_late, wake_at=now, lateness=lateness)
    skipped: tuple[Skipped, ...] = ()
    if options.catch_up is ALL:
        if now - first_due_at > tolerated:
            horizon = now - tolerated
            first = min(task.schedule.next_after(horizon), latest)
            skipped = missed(task, progress.cursor, first, too_late, but_last=True, lateness=lateness)
        chosen = first
    elif first == latest:
        chosen = latest
    else:
        chosen = latest
        reason = SkipReason.CLOCK_STEP if progress.jumped else SkipReason.COALESCED
        if overlaps(task, progress, first_due_at):
            reason = SkipReason.OVERLAP
        skipped = missed(task, progress.cursor, latest, reason, but_last=True, lateness=lateness)
    chosen_due_at = due_at(task, chosen)
    trigger = CATCH_UP if now - chosen_due_at > GRACE else SCHEDULE
    occurrence = Occurrence(task=task.name, scheduled_for=chosen, trigger=trigger)
    progress = progress._replace(due=occurrence, cursor=chosen, first_used=progress.first_used or chosen)
    return Plan(progress=progress, run=occurrence, due_at=chosen_due_at, skipped=skipped)


def latest_due(task: Task, known: datetime, now: datetime) -> datetime:
    """Return the latest occurrence due at *now*, or *known* if there is none beyond it."""
    if due_at(task, task.schedule.following(known)) > now:  # as a rule
        return known
    certain = task.schedule.latest_until(now - timedelta(seconds=task.schedule.jitter))
    latest = known if certain is None else max(known, certain)
    while due_at(task, following := task.schedule.next_after(latest)) <= now:
        latest = following
    return latest


def overlaps(task: Task, progress: Progress, moment: datetime) -> bool:
    """True if a run of the task was going on, or all allowed ones are, when *moment* came."""
    if task.options.overlap is ALLOW:
        return progress.claiming + progress.running >= task.options.concurrency
    if progress.busy_since is None or progress.busy_until is None:
        return False
    return progress.busy_since < moment <= progress.busy_until


def is_undecided(progress: Progress) -> bool:
    """True if an occurrence of the schedule is pending that nobody could decide about."""
    pending, first = progress.pending, progress.first_used
    if pending is None or first is None or pending.attempt > 1 or pending.trigger is MANUAL:
        return False
    return first <= pending.scheduled_for <= progress.cursor


def _is_busy(progress: Progress) -> bool:
    return progress.claiming + progress.running > 0


def _asked_for_at(progress: Progress) -> datetime | None:
    """Return when a run that somebody asked for is to take place, None if nobody did."""
    if progress.pending is None or progress.pending.trigger is not MANUAL:
        return None
    return progress.pending_at
