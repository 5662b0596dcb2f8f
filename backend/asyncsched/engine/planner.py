"""Policy, pure: given a task, how far it has come and the time, what is to be done now?

``Progress`` is all that a schedule's coroutine knows. ``plan`` looks at it and decides; the other
functions say how it changes when something happens. None reads a clock, waits or writes.

The rules, in the order they apply:

1. A paused or suspended task does nothing. When it goes on, what passed meanwhile is skipped.
2. Of several occurrences that are due at once only the latest counts; the others are coalesced
   into it (with ``catch_up="all"`` they are taken one by one, oldest first).
3. An occurrence that came due while the task's previous run was going on is subject to ``overlap``.
4. One that is late by more than GRACE is subject to ``catch_up`` and its window.
5. A retry waits its turn, and gives way to the next occurrence.

A cursor ahead of the clock means that the wall clock was set back. Up to CLOSE the task waits for
the time it has already seen, so that nothing runs twice; beyond, it goes on from now, for a task
that stands still for hours is worse (a row per occurrence still keeps claimed tasks from doubling).
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from asyncsched.engine.runs import Occurrence, RunResult, RunStatus, Skipped, SkipReason, Trigger
from asyncsched.policy import CatchUp, Overlap, backoff
from asyncsched.registry import Task

GRACE = timedelta(seconds=60)  # Quartz's misfire threshold
CLOSE = timedelta(seconds=60)
CLAIM_RETRY = timedelta(seconds=5)
LONGEST_SUSPENSION = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a task has come."""

    cursor: datetime
    """Every occurrence up to here is settled: it ran, or was skipped for a reason."""
    pending: Occurrence | None = None
    """A retry, or a run asked for, to take place at *pending_at*."""
    pending_at: datetime | None = None
    busy_since: datetime | None = None
    busy_until: datetime | None = None
    """When the last run began and ended; occurrences due in between overlap with it."""
    running: int = 0
    failures: int = 0
    suspended_until: datetime | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do now: run *run*, which was due at *due_at*; or else wait until *wake_at* (None: until woken)."""

    progress: Progress
    run: Occurrence | None = None
    due_at: datetime | None = None
    wake_at: datetime | None = None
    skipped: tuple[Skipped, ...] = ()


def begin(task: Task, cursor: datetime | None, now: datetime, *, failures: int, paused: bool) -> Progress:
    """Return the progress to start with, *cursor* being the last occurrence settled by an earlier process."""
    knows_past = cursor is not None and task.options.catch_up is not CatchUp.NONE
    progress = Progress(cursor=cursor if knows_past and cursor is not None else now, failures=failures, paused=paused)
    if not task.options.run_on_start or not task.options.enabled:
        return progress
    return replace(progress, pending=Occurrence(task=task.name, scheduled_for=now), pending_at=now)


def recalled(task: Task, progress: Progress, cursor: datetime | None, *, failures: int) -> Progress:
    """The *cursor* of an earlier process has become known after the start: go back to it, if nothing ran since."""
    has_run = progress.running or progress.busy_until is not None
    if has_run or cursor is None or cursor >= progress.cursor or task.options.catch_up is CatchUp.NONE:
        return progress
    return replace(progress, cursor=cursor, failures=failures)


def plan(task: Task, progress: Progress, now: datetime) -> Plan:
    """Decide what *task* is to do at *now*."""
    if progress.paused or not task.options.enabled:
        return Plan(progress=progress)
    if progress.suspended_until is not None:
        # Further away than any suspension lasts: the wall clock was set back meanwhile.
        if now < progress.suspended_until <= now + timedelta(seconds=_longest_suspension(task)):
            return Plan(progress=progress, wake_at=progress.suspended_until)
        resumed = replace(progress, suspended_until=None)
        return _skip(task, resumed, now, SkipReason.SUSPENDED, now)
    progress = _rewound(task, progress, now)
    first = task.schedule.next_after(progress.cursor)
    first_due_at = due_at(task, first)
    if first_due_at > now:
        return _plan_pending(progress, now, first_due_at)
    latest = _latest_due(task, first, now)
    takes_all = task.options.catch_up is CatchUp.ALL
    if takes_all and task.options.overlap is Overlap.ALLOW and _overlaps(task, progress, now):
        return Plan(progress=progress)  # each has its turn as soon as a place is free
    progress, superseded = _without_pending(progress, SkipReason.COALESCED)
    subject = first if takes_all else latest
    if _overlaps(task, progress, due_at(task, subject)) and task.options.overlap is not Overlap.QUEUE:
        decided = _skip(task, progress, subject, SkipReason.OVERLAP, now)
    else:
        decided = _plan_due(task, progress, first, latest, now=now)
    return replace(decided, skipped=superseded + decided.skipped)


def started(progress: Progress, occurrence: Occurrence) -> Progress:
    """A run of *occurrence* begins (or was refused: either way it is settled)."""
    return replace(
        progress,
        cursor=max(progress.cursor, occurrence.scheduled_for),
        pending=None,
        pending_at=None,
        running=progress.running + 1,
    )


def finished(task: Task, progress: Progress, result: RunResult) -> Progress:
    """A run has ended: count failures, plan the retry, suspend if it has failed too often."""
    progress = replace(
        progress, running=progress.running - 1, busy_since=result.started_at, busy_until=result.finished_at
    )
    if result.status is RunStatus.SUCCEEDED:
        return replace(progress, failures=0, suspended_until=None)
    if not result.status.is_failure:
        return progress
    progress = _suspended(task, replace(progress, failures=progress.failures + 1), result.finished_at)
    if progress.suspended_until is not None:
        return progress
    occurrence = result.claim.occurrence
    if occurrence.attempt < task.options.retry.attempts:
        retry = replace(occurrence, attempt=occurrence.attempt + 1)
        retry_at = result.finished_at + task.options.retry.delay_after(occurrence.attempt)
        return _postponed(progress, retry, retry_at).progress
    return progress


def refused(progress: Progress) -> Progress:
    """The claim was lost: the occurrence is settled, by somebody else."""
    return replace(progress, running=progress.running - 1)


def undecided(progress: Progress, occurrence: Occurrence, now: datetime) -> Plan:
    """The store could not say who may run *occurrence*: ask again soon."""
    return _postponed(replace(progress, running=progress.running - 1), occurrence, now + CLAIM_RETRY)


def paused(task: Task, progress: Progress, now: datetime, *, value: bool) -> Plan:
    """Pause or resume *task*; on resuming, what passed meanwhile is skipped."""
    if value:
        progress, dropped = _without_pending(replace(progress, paused=True), SkipReason.PAUSED)
        return Plan(progress=progress, skipped=dropped)
    return _skip(task, replace(progress, paused=False), now, SkipReason.PAUSED, now)


def due_at(task: Task, occurrence: datetime) -> datetime:
    """Return when the run for *occurrence* is to start: jitter is a stable hash of task and occurrence."""
    width = task.schedule.jitter
    if not width:
        return occurrence
    digest = hashlib.blake2b(f"{task.name}@{occurrence.isoformat()}".encode(), digest_size=8).digest()
    position = int.from_bytes(digest) / 2**63 - 1  # in [-1, 1)
    return occurrence + timedelta(seconds=width * position)


def _plan_pending(progress: Progress, now: datetime, next_due_at: datetime) -> Plan:
    if progress.pending is None or progress.pending_at is None:
        return Plan(progress=progress, wake_at=next_due_at)
    if progress.pending_at <= now:
        return Plan(progress=progress, run=progress.pending, due_at=progress.pending_at)
    return Plan(progress=progress, wake_at=min(progress.pending_at, next_due_at))


def _plan_due(task: Task, progress: Progress, first: datetime, latest: datetime, *, now: datetime) -> Plan:
    options = task.options
    tolerated = GRACE if options.catch_up is CatchUp.NONE else options.catch_up_window
    is_queued = options.overlap is Overlap.QUEUE and _overlaps(task, progress, due_at(task, latest))
    if now - due_at(task, latest) > tolerated and not is_queued:
        return _skip(task, progress, latest, SkipReason.MISFIRE, now)
    skipped: tuple[Skipped, ...] = ()
    if options.catch_up is CatchUp.ALL:
        if now - due_at(task, first) > tolerated:
            horizon = now - tolerated
            skipped = _skipped(task, progress.cursor, horizon, SkipReason.MISFIRE)
            first = task.schedule.next_after(horizon)
        chosen = first
    else:
        chosen = latest
        reason = SkipReason.OVERLAP if _overlaps(task, progress, due_at(task, first)) else SkipReason.COALESCED
        skipped = _skipped(task, progress.cursor, latest, reason, but_last=True)
    chosen_due_at = due_at(task, chosen)
    trigger = Trigger.CATCH_UP if now - chosen_due_at > GRACE else Trigger.SCHEDULE
    occurrence = Occurrence(task=task.name, scheduled_for=chosen, trigger=trigger)
    return Plan(progress=progress, run=occurrence, due_at=chosen_due_at, skipped=skipped)


def _latest_due(task: Task, first: datetime, now: datetime) -> datetime:
    """Return the latest occurrence due at *now*; *first* is due and may be the only one."""
    certain = task.schedule.latest_until(now - timedelta(seconds=task.schedule.jitter))
    latest = first if certain is None else max(first, certain)
    while due_at(task, following := task.schedule.next_after(latest)) <= now:
        latest = following
    return latest


def _overlaps(task: Task, progress: Progress, moment: datetime) -> bool:
    """True if a run of the task was going on, or all allowed ones are, when *moment* came."""
    if task.options.overlap is Overlap.ALLOW:
        return progress.running >= task.options.concurrency
    if progress.busy_since is None or progress.busy_until is None:
        return False
    return progress.busy_since < moment <= progress.busy_until


def _skip(task: Task, progress: Progress, until: datetime, reason: SkipReason, now: datetime) -> Plan:
    """Settle every occurrence up to *until* without running it, and wait for the next."""
    skipped = _skipped(task, progress.cursor, until, reason)
    progress = replace(progress, cursor=max(progress.cursor, until))
    return Plan(progress=progress, wake_at=now, skipped=skipped)


def _skipped(
    task: Task, after: datetime, until: datetime, reason: SkipReason, *, but_last: bool = False
) -> tuple[Skipped, ...]:
    count = task.schedule.count_between(after, until) - but_last
    return (Skipped(task=task.name, scheduled_for=until, reason=reason, count=count),) if count > 0 else ()


def _rewound(task: Task, progress: Progress, now: datetime) -> Progress:
    if progress.cursor <= now + CLOSE or progress.cursor <= task.schedule.next_after(now):
        return progress
    return replace(progress, cursor=now, busy_since=None, busy_until=None)


def _postponed(progress: Progress, occurrence: Occurrence, until: datetime) -> Plan:
    """Put *occurrence* off until *until*. Only one can wait: one that has not run yet goes before a retry."""
    if progress.pending is not None and progress.pending.attempt == 1 and occurrence.attempt > 1:
        return Plan(progress=progress)
    progress, replaced = _without_pending(progress, SkipReason.COALESCED)
    return Plan(progress=replace(progress, pending=occurrence, pending_at=until), skipped=replaced)


def _without_pending(progress: Progress, reason: SkipReason) -> tuple[Progress, tuple[Skipped, ...]]:
    """Drop what is pending; an occurrence that never ran is skipped for *reason*, a retry just does not happen."""
    pending = progress.pending
    progress = replace(progress, pending=None, pending_at=None)
    if pending is None or pending.attempt > 1:
        return progress, ()
    return progress, (Skipped(task=pending.task, scheduled_for=pending.scheduled_for, reason=reason),)


def _suspended(task: Task, progress: Progress, now: datetime) -> Progress:
    limit = task.options.suspend_after
    if limit is None or progress.failures < limit:
        return progress
    times = progress.failures - limit + 1
    rest = backoff(times, first=task.options.suspend_for, most=_longest_suspension(task))
    return replace(progress, suspended_until=now + timedelta(seconds=rest))


def _longest_suspension(task: Task) -> float:
    return max(LONGEST_SUSPENSION, task.options.suspend_for)
