"""What a class of django-cron says, in our words. Pure.

A class with an interval and times of day, or with times that no single expression has, becomes
several tasks.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from asyncsched.errors import ScheduleError
from asyncsched.migrating.clock_changes import changes
from asyncsched.migrating.code import call_of
from asyncsched.migrating.conditions import Condition, only_on, only_on_days
from asyncsched.migrating.cron_fields import MONTH, WEEK, Fields, numbers, said
from asyncsched.migrating.found import Definition, Difference, Found, LeftOut, Topic
from asyncsched.policy import Retry
from asyncsched.schedules import Every, Schedule
from asyncsched.schedules.base import zone_named
from asyncsched.schedules.words import counted

CALLED_EVERY = 5  # minutes from one call of runcrons to the next, as django-cron's own page proposes
DAY = 24 * 60
SECOND = timedelta(seconds=1)

FIRST_RUN = Difference(
    topic=Topic.FIRST_RUN,
    there="with the first call of runcrons ever: an interval, and a time of day that has passed already",
    here="when its time comes for the first time; run_on_start=True is at once",
)
INTERVAL = Difference(
    topic=Topic.INTERVAL,
    there="at the first call of runcrons more than so long after the last success began: it moves with each run",
    here="on a grid that does not move, whenever the run before began or ended",
)
STEPS = Difference(
    topic=Topic.STEPS,
    there="at the first call of runcrons at or after the time, when the jobs before it have ended",
    here="at the time itself",
)
MISSED = Difference(
    topic=Topic.MISSED,
    there="a time of day that was missed is made up for until midnight, and each if there are several",
    here="the latest that was missed is made up for within 24 hours, also after midnight (catch_up_window)",
)
FAILURE = Difference(
    topic=Topic.AFTER_FAILURE,
    there="it is tried again until it succeeds, for a time of day until midnight",
    here="it is tried again as `retry` says, until its next time",
)
FAILURE_ANY = Difference(
    topic=Topic.AFTER_FAILURE,
    there="every call of runcrons tries again until it succeeds, for a time of day until midnight",
    here=f"it is tried again every {CALLED_EVERY} minutes, until its next time: make `retry` what your crontab says, "
    "or what you want",
)
FAILURE_RESTS = Difference(
    topic=Topic.AFTER_FAILURE,
    there="it rests for RETRY_AFTER_FAILURE_MINS, which is longer than until its next time",
    here="its next time comes as ever; suspend_after lets a task rest that fails several times in a row",
)
SIDE_BY_SIDE = Difference(
    topic=Topic.SIDE_BY_SIDE,
    there="all jobs run one after the other, in a process of their own",
    here="each run has a thread, in the process that serves pages and leads",
)
OF_ONE_CLASS = Difference(
    topic=Topic.OVERLAP,
    there="the lock is the class's: what it does at one time never overlaps with what it does at another",
    here="these are several tasks, and each is kept from overlapping with itself only",
)
PARALLEL = Difference(
    topic=Topic.OVERLAP,
    there="any number of runs side by side, one for each runcrons that is going on",
    here="up to 4 runs side by side (concurrency)",
)
TOGETHER = Difference(
    topic=Topic.CLOCK_CHANGES,
    there="of the times that clocks jump over each runs, with one call of runcrons after the other",
    here="the times that clocks jump over run together, once, at the first instant after the gap",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronClass:
    """What the class at *path* says. Days of the week count from Monday, which is 0; None says nothing of days."""

    path: str
    code: str
    description: str
    every_mins: float | None
    at_times: tuple[str, ...]
    weekdays: Sequence[int] | None
    month_days: Sequence[int] | None
    retry_mins: float | None
    is_parallel: bool
    mailed_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of a class's times that one schedule has. *ending* is for the name of its task, if there are others."""

    schedule: Schedule
    conditions: tuple[Condition, ...]
    differences: tuple[Difference, ...]
    ending: str


def translated(cron: CronClass, *, zone: str, now: datetime) -> list[Definition]:
    """Return the tasks that do in *zone* what *cron* does, or one definition that says why there are none."""
    try:
        parts = list(_parts(cron, zone, now))
    except (ScheduleError, ValueError, TypeError) as error:
        return [LeftOut(name=cron.code, source=cron.path, problem=f"{error}: write its task by hand")]
    if not parts:
        problem = "it names no time and no interval of a minute or more, or no day: say when it is to run, or delete it"
        return [LeftOut(name=cron.code, source=cron.path, problem=problem)]
    return [_found(cron, part, zone, is_only=len(parts) == 1) for part in parts]


def _parts(cron: CronClass, zone: str, now: datetime) -> Iterator[_Part]:
    weekdays = WEEK if cron.weekdays is None else frozenset((day + 1) % 7 for day in cron.weekdays if day in range(7))
    days = frozenset(MONTH) if cron.month_days is None else frozenset(MONTH) & frozenset(cron.month_days)
    if not weekdays or not days:
        return
    if cron.every_mins is not None and cron.every_mins >= 1:
        conditions = (*only_on(weekdays), *only_on_days(days))
        yield _Part(
            schedule=Every(cron.every_mins * 60), conditions=conditions, differences=(INTERVAL,), ending="_interval"
        )
    for times in _grouped(cron.at_times):
        fields = Fields(
            minute=numbers("", {at.minute for at in times}, range(60)),
            hour=numbers("", {at.hour for at in times}, range(24)),
            day=numbers("", days, MONTH),
            days=days,
            weekdays=weekdays,
        )
        result = said(fields, None)
        together = (TOGETHER,) if _are_jumped_over(times, zone, now) else ()
        yield _Part(
            schedule=result.schedule,
            conditions=only_on(result.weekdays),
            differences=(STEPS, MISSED, *together),
            ending=f"_at_{times[0]:%H%M}",
        )


def _grouped(texts: Sequence[str]) -> list[list[time]]:
    """Return the times in groups, of which one expression has each: those of hours that have the same minutes."""
    minutes_of: dict[int, set[int]] = defaultdict(set)
    for text in texts:
        at = datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of day only
        minutes_of[at.hour].add(at.minute)
    groups: dict[frozenset[int], list[time]] = defaultdict(list)
    for hour, minutes in sorted(minutes_of.items()):
        groups[frozenset(minutes)] += [time(hour, minute) for minute in sorted(minutes)]
    return list(groups.values())


def _are_jumped_over(times: Sequence[time], zone: str, now: datetime) -> bool:
    """True if clocks jump over more than one of *times* at once in the year from *now* on."""
    for change in changes(zone, now):
        before, after = (at.astimezone(zone_named(zone)).replace(tzinfo=None) for at in (change - SECOND, change))
        if sum(before < datetime.combine(before, at) < after for at in times) > 1:
            return True
    return False


def _found(cron: CronClass, part: _Part, zone: str, *, is_only: bool) -> Found:
    module, _, name = cron.path.rpartition(".")
    overlap = (PARALLEL,) if cron.is_parallel else () if is_only else (OF_ONE_CLASS,)
    options: dict[str, object] = {"overlap": "allow"} if cron.is_parallel else {}
    failure = (FAILURE_RESTS,) if cron.retry_mins else ()
    if retry := _retry(cron, part.schedule):
        options["retry"] = retry
        failure = (FAILURE if cron.retry_mins else FAILURE_ANY,)
    return Found(
        name=cron.code if is_only else f"{cron.code}{part.ending}",
        source=cron.path,
        call=call_of(f"{module}:{name}().do"),
        schedule=part.schedule,
        options=options,
        conditions=part.conditions,
        zone=zone,
        description=cron.description,
        differences=(FIRST_RUN, *part.differences, *failure, SIDE_BY_SIDE, *overlap),
        remarks=tuple(_remarks(cron)),
    )


def _retry(cron: CronClass, schedule: Schedule) -> Retry | None:
    """Return as many tries as there are until the next time, of a time of day in a day; None if there is one."""
    delay = (cron.retry_mins or CALLED_EVERY) * 60
    tries = int((schedule.seconds if isinstance(schedule, Every) else DAY * 60) // delay)
    return Retry(attempts=tries, delay=delay, factor=1, max_delay=max(delay, 300)) if tries > 1 else None


def _remarks(cron: CronClass) -> Iterator[str]:
    if cron.mailed_after is not None:
        yield f"django-cron mailed after {counted(cron.mailed_after, 'failure')} in a row: alerts do that here."
