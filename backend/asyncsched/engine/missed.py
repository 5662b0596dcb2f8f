"""What did not run, as a value: from when to when, how many, and why."""

from datetime import datetime

from asyncsched.engine.runs import Skipped, SkipReason
from asyncsched.registry import Task
from asyncsched.schedules.base import MICROSECOND


def missed(
    task: Task,
    after: datetime,
    until: datetime,
    reason: SkipReason,
    *,
    but_last: bool = False,
    lateness: float = 0.0,
) -> tuple[Skipped, ...]:
    """Return the occurrences in ``(after, until]``, without the last if *but_last*; nothing if there is none.

    *lateness*: seconds since the first was due.
    """
    count = task.schedule.count_between(after, until) - but_last
    if count < 1:
        return ()
    first = task.schedule.next_after(after)
    last = task.schedule.latest_until(until - MICROSECOND if but_last else until) or first
    return (Skipped(task=task.name, scheduled_for=last, reason=reason, count=count, first=first, lateness=lateness),)
