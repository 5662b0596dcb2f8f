"""What a class of django-cron says, in our words. Pure.

A class with an interval and times of day, or with times that no single expression has, becomes
several tasks.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from asyncsched.errors import ScheduleError
from asyncsched.migrating.code import Call, call_of
from asyncsched.migrating.found import Definition, Difference, Found, LeftOut, Topic
from asyncsched.policy import Retry
from asyncsched.schedules import Cron, DailyAt, Every, Schedule

CALLED_EVERY = 5  # minutes from one call of runcrons to the next, as django-cron's own page proposes
DAY = 24 * 60
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

STEPS = Difference(
    topic=Topic.STEPS,
    there="at the first call of runcrons at or after the time, when the jobs before it have ended",
    here="at the time itself",
)
FIRST_RUN = Difference(
    topic=Topic.FIRST_RUN,
    there="with the first call of runcrons ever: an interval at once, a time of day that has passed already too",
    here="when its time comes; run_on_start=True for at once",
)
INTERVAL = Difference(
    topic=Topic.INTERVAL,
    there="at the first call of runcrons more than so long after the last success began: it moves with each run",
    here="on a grid that does not move, whenever the run before began or ended",
)
FAILURE = Difference(
    topic=Topic.AFTER_FAILURE,
    there="it is tried again until it succeeds, for a time of day until midnight",
    here="it is tried again as `retry` says, until its next time",
)
MISSED = Difference(
    topic=Topic.MISSED,
    there="a time of day that was missed is made up for until midnight",
    here="the latest one that was missed is made up for within 24 hours, also after midnight (catch_up_window)",
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


def translated(cron: CronClass) -> list[Definition]:
    """Return the tasks that do what *cron* does, or one that says why there are none."""
    try:
        pieces = _pieces(cron)
    except (ScheduleError, ValueError, TypeError) as error:
        return [_left_out(cron, f"{error}: write its task by hand")]
    if not pieces:
        return [_left_out(cron, "it has no times, and no interval of a minute or more: say when it is to run")]
    return [_found(cron, schedule, ending, has_siblings=len(pieces) > 1) for schedule, ending in pieces]


def _left_out(cron: CronClass, problem: str) -> LeftOut:
    return LeftOut(name=cron.code, source=cron.path, problem=problem)


def _pieces(cron: CronClass) -> list[tuple[Schedule, str]]:
    """Return the schedules that the class's one comes to, each with what to end the name of its task with."""
    pieces: list[tuple[Schedule, str]] = []
    if cron.weekdays == [] or cron.month_days == []:
        return pieces
    if cron.every_mins is not None and cron.every_mins >= 1:
        pieces.append((Every(seconds=cron.every_mins * 60), "_interval"))
    for hours, minutes in _grouped(cron.at_times):
        ending = f"_at_{hours[0]:02}{minutes[0]:02}"
        if len(hours) == len(minutes) == 1 and cron.weekdays is None and cron.month_days is None:
            pieces.append((DailyAt(hour=hours[0], minute=minutes[0]), ending))
        else:
            pieces.append((Cron(f"{_listed(minutes)} {_listed(hours)} {_days(cron)}"), ending))
    return pieces


def _grouped(times: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """Return *times* as few pairs of hours and minutes, of which each hour goes with each minute."""
    minutes_of: dict[int, set[int]] = defaultdict(set)
    for text in times:
        at: time = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day only
        minutes_of[at.hour].add(at.minute)
    hours_of: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for hour in sorted(minutes_of):
        hours_of[tuple(sorted(minutes_of[hour]))].append(hour)
    return [(hours, list(minutes)) for minutes, hours in hours_of.items()]


def _days(cron: CronClass) -> str:
    """Return the day, month and weekday of an expression; with both kinds of days, of which it asks for either, the
    weekdays are left to a condition.
    """
    if cron.month_days is not None:
        return f"{_listed(sorted(set(cron.month_days)))} * *"
    if cron.weekdays is None:
        return "* * *"
    return f"* * {','.join(WEEKDAYS[day] for day in sorted(set(cron.weekdays)))}"


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _found(cron: CronClass, schedule: Schedule, ending: str, *, has_siblings: bool) -> Found:
    is_interval = isinstance(schedule, Every)
    common = [FIRST_RUN, *([INTERVAL] if is_interval else [STEPS, MISSED]), FAILURE, SIDE_BY_SIDE]
    options, remarks = _options(cron, schedule)
    if has_siblings and not cron.is_parallel:
        common.append(OF_ONE_CLASS)
    if cron.is_parallel:
        common.append(PARALLEL)
    module, _, name = cron.path.rpartition(".")
    return Found(
        name=f"{cron.code}{ending}" if has_siblings else cron.code,
        source=cron.path,
        call=call_of(f"{module}:{name}().do"),
        schedule=schedule,
        options=options,
        description=cron.description,
        differences=tuple(common),
        remarks=remarks,
    )


def _options(cron: CronClass, schedule: Schedule) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return what to give to ``register`` beside the schedule, and what is to be looked at."""
    options: dict[str, object] = {}
    remarks = []
    delay = (cron.retry_mins or CALLED_EVERY) * 60
    period = schedule.seconds if isinstance(schedule, Every) else DAY * 60
    if period > delay:
        options["retry"] = Retry(attempts=1 + int(period // delay), delay=delay, factor=1, max_delay=max(delay, 300))
        if not cron.retry_mins:
            remarks.append(
                f"After a failure every call of runcrons tried again: here every {CALLED_EVERY} minutes, "
                "make it what your crontab says, or fewer attempts."
            )
    if cron.is_parallel:
        options["overlap"] = "allow"
    if condition := _condition(cron, schedule):
        options["enabled_when"] = condition
    if cron.mailed_after is not None:
        remarks.append(f"django-cron mailed after {cron.mailed_after} failures in a row: see docs/howto/alerts.md.")
    return options, tuple(remarks)


def _condition(cron: CronClass, schedule: Schedule) -> Call | None:
    """Return what asks for the days that *schedule* does not: of an interval all, else the second kind."""
    asked = []
    if cron.month_days is not None and isinstance(schedule, Every):
        asked.append(f"timezone.localtime().day in {sorted(set(cron.month_days))}")
    if cron.weekdays is not None and (cron.month_days is not None or isinstance(schedule, Every)):
        asked.append(f"timezone.localtime().weekday() in {sorted(set(cron.weekdays))}")
    if not asked:
        return None
    return Call(
        function=f"lambda: {' and '.join(asked)}", arguments=None, imports=("from django.utils import timezone",)
    )
