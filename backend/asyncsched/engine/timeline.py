"""A task's own time, pure: the wall clock's, except that it never names the same occurrence twice.

The wall clock may be set back over instants for which the task has run already. What happens when
they come again depends on who guards them:

- An occurrence of a minute and longer is claimed by a row. Every replica agrees on its name, and so
  the task waits until the clock has passed what was used.
- A wall-clock schedule names times of day; it waits as well.
- A sub-minute interval must not stand still for as long as that: it may be what raises the alarm. Its
  own time jumps to the end of what was used, and from there on goes as evenly as before: the task
  keeps its rate, and its occurrences bear names that are ahead of the wall clock. Another step of
  the clock, or a restart, brings both together again.

Going back by CLOSE or less is not worth either: every task waits for the time it has already seen.
"""

from datetime import datetime, timedelta

from asyncsched.engine.missed import missed
from asyncsched.engine.progress import Progress, Stretch
from asyncsched.engine.runs import Skipped, SkipReason
from asyncsched.registry import Task

CLOSE = timedelta(seconds=10)
MOST_STRETCHES = 8
NONE = timedelta(0)


def stepped(progress: Progress, by: timedelta, now: datetime, *, is_set: bool) -> Progress:
    """The wall clock stepped *by* so much and shows *now*; *is_set* is False if that cannot be right."""
    shift = by - progress.ahead
    is_earlier = progress.held and progress.cursor > now - shift  # a cursor beyond the clock is an earlier process's
    if progress.held and (is_set or is_earlier):
        # What was read from the clock so far is worthless.
        cursor = progress.cursor if is_earlier else now
        return _moved(progress._replace(cursor=cursor, ahead=NONE, held=not is_set, first_used=None, used=()), shift)
    if by < NONE and progress.cursor <= now + progress.ahead + CLOSE:
        return _moved(progress, by)
    closed = _closed(progress)._replace(cursor=min(progress.cursor, now), ahead=NONE, jumped=by > NONE)
    return _moved(closed, shift)


def clear_of_used(task: Task, progress: Progress, moment: datetime) -> tuple[Progress, tuple[Skipped, ...]]:
    """Return *progress* with all that was used behind it, as far as *moment*, the task's own time, has reached it."""
    if not progress.used:
        return progress, ()
    skipped: list[Skipped] = []
    reach = moment + timedelta(seconds=task.schedule.jitter)
    for stretch in sorted(progress.used, key=lambda stretch: stretch.first):
        if not (progress.cursor < stretch.last and stretch.first <= reach):
            continue
        skipped += missed(task, progress.cursor, stretch.first, SkipReason.CLOCK_STEP, but_last=True)
        progress = progress._replace(cursor=stretch.last)
        if task.schedule.is_subminute and task.schedule.is_interval and moment < stretch.last:
            jump = stretch.last - moment
            progress = _moved(progress._replace(ahead=progress.ahead + jump), jump)
            moment, reach = moment + jump, reach + jump
    return progress, tuple(skipped)


def _closed(progress: Progress) -> Progress:
    """Put what was used since the last step with what was used before."""
    if progress.first_used is None:
        return progress
    used = (*progress.used, Stretch(first=progress.first_used, last=max(progress.first_used, progress.cursor)))
    if len(used) > MOST_STRETCHES:
        one, other, *rest = used
        used = (Stretch(first=min(one.first, other.first), last=max(one.last, other.last)), *rest)
    return progress._replace(used=used, first_used=None)


def _moved(progress: Progress, by: timedelta) -> Progress:
    """The task's own time moved *by* so much at once: lengths of time that are under way take no notice."""

    def later(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment + by

    return progress._replace(
        pending_at=later(progress.pending_at),
        suspended_until=later(progress.suspended_until),
        busy_since=later(progress.busy_since) if progress.running else None,
        busy_until=None,
    )
