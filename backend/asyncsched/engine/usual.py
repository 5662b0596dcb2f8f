"""The short way through the state machine, for what a schedule does nearly always: run on time, or wait."""

from datetime import datetime

from asyncsched.engine import planner
from asyncsched.engine.progress import Plan, Progress
from asyncsched.engine.runs import Occurrence
from asyncsched.registry import Task


def usual(task: Task, progress: Progress, now: datetime) -> Plan | None:
    """Return what the machine's ``Looked`` and, if something is due, ``Claiming`` and ``Granted`` come to.

    None if there is more than the schedule to look at: something is under way, or holds the task back.
    """
    if not progress.is_undisturbed or not task.options.enabled or task.options.overlap is planner.ALLOW:
        return None
    following = task.schedule.following
    first = following(progress.cursor)
    due_at = planner.due_at(task, first)
    if due_at > now:
        return Plan(progress=progress, wake_at=due_at)
    is_late = now - due_at > planner.GRACE or planner.due_at(task, following(first)) <= now
    if is_late or planner.overlaps(task, progress, due_at):
        return _weighed(planner.plan(task, progress, now), now)
    begun = progress._replace(
        cursor=first, first_used=progress.first_used or first, running=1, busy_since=now, has_run=True
    )
    return Plan(progress=begun, run=Occurrence(task=task.name, scheduled_for=first), due_at=due_at)


def _weighed(plan: Plan, now: datetime) -> Plan:
    if plan.run is None:
        return plan
    begun = plan.progress._replace(due=None, running=1, busy_since=now, has_run=True)
    return Plan(progress=begun, run=plan.run, due_at=plan.due_at, skipped=plan.skipped)
