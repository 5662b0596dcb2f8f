"""What a row of django-background-tasks that repeats says, in our words. Pure.

Its next time is the last one plus ``repeat`` seconds, whenever it ran: a grid, which begins at
``run_at``. So it is the same grid here, on whole seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncsched.errors import ScheduleError
from asyncsched.migrating import conditions
from asyncsched.migrating.code import call_of, unwritable
from asyncsched.migrating.found import Definition, Difference, Found, LeftOut, Topic
from asyncsched.policy import Retry
from asyncsched.schedules import Every
from asyncsched.schedules.words import duration

MAX_ATTEMPTS, MAX_RUN_TIME = 25, 3600  # seconds; as the package has them unless its settings say otherwise
DAY = 86_400

STEPS = Difference(
    topic=Topic.STEPS,
    there="when process_tasks looks, which it does every 5 seconds while it has nothing to do",
    here="at the time itself",
)
FAILURE = Difference(
    topic=Topic.AFTER_FAILURE,
    there="it is tried again after 6, 21, 86 seconds and so on, from which its times then count; "
    "after MAX_ATTEMPTS it is deleted and never repeats again",
    here="it is tried again as `retry` says, until its next time, and its times stay what they were",
)
SIDE_BY_SIDE = Difference(
    topic=Topic.SIDE_BY_SIDE,
    there="each process_tasks runs one after the other, the highest priority first",
    here="each run has a thread, in the process that serves pages and leads",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundRow:
    """What stands in a row; *path* is where its function lies, *repeat* is in seconds."""

    name: str
    source: str
    path: str
    args: Sequence[object]
    kwargs: Mapping[str, object]
    description: str
    run_at: datetime
    repeat: int
    repeat_until: datetime | None
    queue: str | None
    priority: int
    creator: str


def translated(row: BackgroundRow, *, now: datetime, max_attempts: int, max_run_time: int) -> Definition:
    """Return the task that does what *row* does. *now* decides whether it has begun."""
    if problem := unwritable(row.args, row.kwargs):
        return LeftOut(name=row.name, source=row.source, problem=problem)
    try:
        schedule = Every(seconds=row.repeat, offset=int(row.run_at.timestamp()) % row.repeat)
    except ScheduleError as error:
        return LeftOut(name=row.name, source=row.source, problem=f"{error}: write its task by hand")
    options: dict[str, object] = {"timeout": max_run_time}
    if attempts := _attempts(row.repeat, max_attempts):
        options["retry"] = Retry(attempts=attempts, delay=6, factor=3, max_delay=3600)
    if row.repeat > DAY:
        options["catch_up_window"] = timedelta(seconds=row.repeat)
    return Found(
        name=row.name,
        source=row.source,
        call=call_of(row.path, row.args, row.kwargs),
        schedule=schedule,
        options=options,
        conditions=tuple(_limits(row, now)),
        description=row.description,
        differences=(STEPS, FAILURE, SIDE_BY_SIDE, _timeout(max_run_time)),
        remarks=tuple(_remarks(row)),
    )


def _attempts(repeat: int, most: int) -> int:
    """Return how often a run is tried before the next time comes, 0 for once: the n-th retry waits n⁴ + 5 seconds."""
    passed, attempts = 0, 1
    while attempts < most and (passed := passed + attempts**4 + 5) < repeat:
        attempts += 1
    return attempts if attempts > 1 else 0


def _limits(row: BackgroundRow, now: datetime) -> Iterator[conditions.Condition]:
    """Yield what its next time sets, if that lies further ahead than its grid does, and its end.

    A run before *repeat_until* brings about one more.
    """
    if row.run_at > now + timedelta(seconds=row.repeat):
        yield conditions.begins(row.run_at.replace(microsecond=0))
    if row.repeat_until is not None:
        yield conditions.ends(row.repeat_until + timedelta(seconds=row.repeat), included=False)


def _timeout(seconds: int) -> Difference:
    return Difference(
        topic=Topic.TIMEOUT,
        there=f"after {duration(seconds)} (MAX_RUN_TIME) another process_tasks begins it again, beside the first",
        here=f"after {duration(seconds)} it is ended (timeout)",
    )


def _remarks(row: BackgroundRow) -> list[str]:
    remarks = []
    if row.repeat % DAY == 0:
        remarks.append(
            f"Every {duration(row.repeat)} is a length of time: by the clock on the wall it moves by an hour when "
            "clocks change, there as here. DailyAt or Cron would stay."
        )
    if row.repeat_until:
        remarks.append("After the end that its condition names it only says no: then delete it.")
    if row.queue:
        remarks.append(f"It was in the queue {row.queue!r}, for a process of its own: executor= may hand it to one.")
    if row.priority:
        remarks.append(f"It had the priority {row.priority}: here nothing waits for another.")
    if row.creator:
        remarks.append(f"It belonged to {row.creator}: nothing keeps that here.")
    return remarks
