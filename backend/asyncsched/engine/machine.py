"""The state machine of a task, pure: what has happened, in; how far the task has come and what to do, out.

Everything that happens to a task is an event, and ``transition`` is the only place where progress
changes. Nothing here reads a clock, waits or writes; the driver (``loop``) does, and the simulation
drives the same machine without waiting.

::

    WAITING ──Looked──> DUE ──Claiming──> CLAIMING ──Granted──> RUNNING ──Finished──> WAITING
                                             │                                ├─────> BACKING_OFF  (retry)
                                             ├──Refused──> WAITING            └─────> SUSPENDED    (suspend_after)
                                             └──Undecided──> BACKING_OFF

``TookOver`` makes it RUNNING as ``Granted`` does, ``Left`` ends that without a result.
``Paused``, ``Resumed``, ``Asked``, ``Followed``, ``Led``, ``Stepped``, ``Recalled``, ``Abandoned`` and
``Stopped`` may come in any state; a run that is going on is never touched by them.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from asyncsched.engine import events, planner, timeline
from asyncsched.engine.leadership import LEADS_ALONE, Standing
from asyncsched.engine.progress import Plan, Progress
from asyncsched.engine.runs import Occurrence, RunStatus, Skipped, SkipReason, Trigger
from asyncsched.policy import MOST_RERUNS, CatchUp, Scope, backoff
from asyncsched.registry import Task

SUCCEEDED = RunStatus.SUCCEEDED
CLAIM_RETRY = timedelta(seconds=5)
LONGEST_SUSPENSION = 3600.0
START = timedelta(seconds=60)  # who leads so soon after its start, leads from the start


def begin(
    task: Task,
    cursor: datetime | None,
    now: datetime,
    *,
    failures: int = 0,
    paused: bool = False,
    standing: Standing = LEADS_ALONE,
    is_set: bool = True,
) -> Progress:
    """Return the progress to start with, *cursor* being the last occurrence settled by an earlier process.

    *standing* tells whether this process runs the tasks of scope ``cluster``. *is_set* is False if the
    clock shows a time that cannot be right.
    """
    is_clustered = task.options.scope is Scope.CLUSTER
    standby = is_clustered and not standing.leads
    start = _start_of_term(task, standing.since) if is_clustered else None
    progress = Progress(
        cursor=max(now, start or now), failures=failures, paused=paused, standby=standby, held=not is_set
    )
    if cursor is not None and task.options.catch_up is not CatchUp.NONE:
        is_ahead = cursor > now + timeline.CLOSE
        # A cursor far ahead of the clock is from before it was set back, or shows that it is not set yet.
        progress = progress._replace(cursor=now if is_ahead and (is_set or task.schedule.is_interval) else cursor)
    if not task.options.run_on_start or not task.options.enabled:
        return progress
    if standby:
        return progress._replace(on_start_until=now + START)
    return _on_start(task, progress, now)


def _on_start(task: Task, progress: Progress, now: datetime) -> Progress:
    first = Occurrence(task=task.name, scheduled_for=now)
    return progress._replace(pending=first, pending_at=now + progress.ahead)


def transition(task: Task, progress: Progress, event: events.Event) -> Plan:
    """Return how far *task* has come after *event*, and what it is to do."""
    return _TRANSITIONS[type(event)](task, progress, event)


def is_asked_for(occurrence: Occurrence) -> bool:
    """True if *occurrence* is what somebody asked for, and not the retry of such a run."""
    return occurrence.trigger is Trigger.MANUAL and occurrence.attempt == 1


def _looked(task: Task, progress: Progress, event: events.Looked) -> Plan:
    decided = planner.plan(task, progress, event.now + progress.ahead)
    ahead = decided.progress.ahead
    if not ahead:
        return decided
    return replace(
        decided,
        due_at=decided.due_at and decided.due_at - ahead,
        wake_at=decided.wake_at and decided.wake_at - ahead,
    )


def _claiming(task: Task, progress: Progress, event: events.Claiming) -> Plan:
    if progress.due is None:
        raise RuntimeError(f"{task.name}: nothing is due, so there is nothing to claim")
    return Plan(progress=progress._replace(due=None, claiming=progress.claiming + 1))


def _granted(task: Task, progress: Progress, event: events.Granted) -> Plan:
    running, since = progress.running + 1, event.now + progress.ahead
    return Plan(progress=_unclaimed(task, progress)._replace(running=running, busy_since=since, has_run=True))


def _refused(task: Task, progress: Progress, event: events.Refused) -> Plan:
    return Plan(progress=_unclaimed(task, progress))


def _undecided(task: Task, progress: Progress, event: events.Undecided) -> Plan:
    progress = _unclaimed(task, progress)
    if progress.standby and _is_everybodys(event.occurrence):
        return Plan(progress=progress)  # it is the new leader's to catch up on
    return planner.postponed(progress, event.occurrence, event.now + progress.ahead + CLAIM_RETRY)


def _unclaimed(task: Task, progress: Progress) -> Progress:
    if not progress.claiming:
        raise RuntimeError(f"{task.name}: the store was not asked, so it cannot have answered")
    return progress._replace(claiming=progress.claiming - 1)


def _finished(task: Task, progress: Progress, event: events.Finished) -> Plan:
    if not progress.running:
        raise RuntimeError(f"{task.name}: nothing runs, so nothing can have ended")
    result, now = event.result, event.now + progress.ahead
    running = progress.running - 1
    if result.status is SUCCEEDED:
        return Plan(progress=progress._replace(running=running, busy_until=now, failures=0, suspended_until=None))
    progress = progress._replace(running=running, busy_until=now)
    if not result.status.is_failure:
        return Plan(progress=progress)
    progress = _suspended(task, progress._replace(failures=progress.failures + 1), now)
    occurrence = result.claim.occurrence
    # What was abandoned may go on: that it may be run again is for rerun_abandoned to say.
    is_over = result.status is RunStatus.ABANDONED or occurrence.attempt >= task.options.retry.attempts
    if progress.suspended_until is not None or is_over:
        return Plan(progress=progress)
    retry = replace(occurrence, attempt=occurrence.attempt + 1)
    return planner.postponed(progress, retry, now + task.options.retry.delay_after(occurrence.attempt))


def _took_over(task: Task, progress: Progress, event: events.TookOver) -> Plan:
    return Plan(progress=progress._replace(running=progress.running + 1, busy_since=event.now + progress.ahead))


def _left(task: Task, progress: Progress, event: events.Left) -> Plan:
    return Plan(progress=progress._replace(running=progress.running - 1, busy_until=event.now + progress.ahead))


def _suspended(task: Task, progress: Progress, now: datetime) -> Progress:
    limit = task.options.suspend_after
    if limit is None or progress.failures < limit:
        return progress
    times = progress.failures - limit + 1
    most = max(LONGEST_SUSPENSION, task.options.suspend_for)
    rest = backoff(times, first=task.options.suspend_for, most=most)
    return progress._replace(suspended_until=now + timedelta(seconds=rest))


def _paused(task: Task, progress: Progress, event: events.Paused) -> Plan:
    progress = progress._replace(paused=True)
    if progress.pending and progress.pending.trigger is Trigger.MANUAL:
        return Plan(progress=progress)
    progress, dropped = planner.without_pending(progress, SkipReason.PAUSED)
    return Plan(progress=progress, skipped=dropped)


def _resumed(task: Task, progress: Progress, event: events.Resumed) -> Plan:
    reason = _held_back_by(progress)
    if reason is None:
        return Plan(progress=progress)
    dropped: tuple[Skipped, ...] = ()
    if progress.pending and progress.pending.trigger is not Trigger.MANUAL:
        progress, dropped = planner.without_pending(progress, reason)
    progress = progress._replace(paused=False, suspended_until=None)
    missed = planner.skip(task, progress, event.now + progress.ahead, reason)
    return replace(missed, skipped=dropped + missed.skipped)


def _asked(task: Task, progress: Progress, event: events.Asked) -> Plan:
    asked_for = Occurrence(task=task.name, scheduled_for=event.at, trigger=Trigger.MANUAL)
    pending = progress.pending
    # What has never run and may begin at any moment goes first; the request will be heard again.
    is_behind = pending is not None and pending.attempt == 1 and _held_back_by(progress) is None
    # What is being claimed may be this very run, and the request older news.
    if progress.stopped or progress.claiming or is_behind or (pending is not None and is_asked_for(pending)):
        return Plan(progress=progress)
    return planner.postponed(progress, asked_for, event.now + progress.ahead)


def _followed(task: Task, progress: Progress, event: events.Followed) -> Plan:
    if task.options.scope is not Scope.CLUSTER:
        return Plan(progress=progress)
    # A suspension, and what is known to have run, are of the term that has ended.
    progress = progress._replace(standby=True, due=None, suspended_until=None, has_run=False)
    if progress.pending and _is_everybodys(progress.pending):
        progress = progress._replace(pending=None, pending_at=None)  # it is the new leader's to catch up on
    return Plan(progress=progress)


def _is_everybodys(occurrence: Occurrence) -> bool:
    """True if whoever leads can know of *occurrence*; a retry of a run by hand is known to its process alone."""
    return occurrence.trigger is not Trigger.MANUAL or is_asked_for(occurrence)


def _led(task: Task, progress: Progress, event: events.Led) -> Plan:
    if not progress.standby:
        return Plan(progress=progress)
    starts = progress.on_start_until is not None and event.now <= progress.on_start_until
    progress = progress._replace(standby=False, failures=event.failures, on_start_until=None)
    if starts:
        progress = _on_start(task, progress, event.now)
    if task.options.catch_up is not CatchUp.NONE:  # what ran already has a row, and is refused
        return Plan(progress=progress._replace(cursor=event.cursor or progress.cursor))
    until = max(event.now, _start_of_term(task, event.since) or event.now)
    return planner.skip(task, progress, until + progress.ahead, SkipReason.NOT_LEADER)


def _start_of_term(task: Task, since: datetime | None) -> datetime | None:
    """Return up to when occurrences may have begun in an earlier term: with jitter they do before their instant."""
    return None if since is None else since + timedelta(seconds=task.schedule.jitter)


def _stepped(task: Task, progress: Progress, event: events.Stepped) -> Plan:
    by = timedelta(seconds=event.seconds)
    return Plan(progress=timeline.stepped(progress, by, event.now, is_set=event.is_set))


def _recalled(task: Task, progress: Progress, event: events.Recalled) -> Plan:
    known = event.cursor is not None and task.options.catch_up is not CatchUp.NONE and not progress.has_run
    if event.cursor is None or not known or (event.cursor >= progress.cursor and not progress.held):
        return Plan(progress=progress)
    if planner.is_undecided(progress):  # it will be decided on again
        progress = progress._replace(pending=None, pending_at=None)
    return Plan(progress=progress._replace(cursor=event.cursor, failures=event.failures))


def _abandoned(task: Task, progress: Progress, event: events.Abandoned) -> Plan:
    rests = progress.stopped or _held_back_by(progress) is not None or not task.options.enabled
    is_occupied = progress.due or progress.pending or progress.claiming or progress.running
    occurrence = event.occurrence
    is_wanted = task.options.rerun_abandoned and occurrence.attempt <= MOST_RERUNS
    if rests or is_occupied or not is_wanted:
        return Plan(progress=progress)  # it stays abandoned, and is heard of again
    again = replace(occurrence, attempt=occurrence.attempt + 1, trigger=Trigger.CATCH_UP)
    return planner.postponed(progress, again, event.now + progress.ahead)


def _stopped(task: Task, progress: Progress, event: events.Stopped) -> Plan:
    due, progress = progress.due, progress._replace(stopped=True, due=None)
    if due and progress.pending is None:
        progress = progress._replace(pending=due)
    reason = _held_back_by(progress)
    rests = reason in (SkipReason.PAUSED, SkipReason.SUSPENDED)  # what passed meanwhile is not to be caught up on
    if not task.options.enabled or (task.options.catch_up is not CatchUp.NONE and not rests):
        return Plan(progress=progress)  # the next start catches up
    reason = reason or SkipReason.SHUTTING_DOWN
    progress, dropped = planner.without_pending(progress, reason)
    missed = planner.skip(task, progress, event.now + progress.ahead, reason)
    return replace(missed, skipped=dropped + missed.skipped)


def _held_back_by(progress: Progress) -> SkipReason | None:
    if progress.standby:
        return SkipReason.NOT_LEADER
    if progress.paused:
        return SkipReason.PAUSED
    return SkipReason.SUSPENDED if progress.suspended_until else None


_TRANSITIONS: dict[type, Callable[[Task, Progress, Any], Plan]] = {
    events.Looked: _looked,
    events.Claiming: _claiming,
    events.Granted: _granted,
    events.Refused: _refused,
    events.Undecided: _undecided,
    events.Finished: _finished,
    events.TookOver: _took_over,
    events.Left: _left,
    events.Paused: _paused,
    events.Resumed: _resumed,
    events.Asked: _asked,
    events.Followed: _followed,
    events.Led: _led,
    events.Stepped: _stepped,
    events.Recalled: _recalled,
    events.Abandoned: _abandoned,
    events.Stopped: _stopped,
}
