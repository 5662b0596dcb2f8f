"""The way out: our tasks as what Celery beat sends, and what is lost on it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncsched.engine.planner import GRACE
from asyncsched.migrating import clock_changes
from asyncsched.migrating.celery_crontabs import Crontab, crontabs
from asyncsched.migrating.celery_schedules import COUNTED
from asyncsched.migrating.found import Difference, LeftOut, NoCounterpart, NotThere, Topic
from asyncsched.policy import CatchUp, Overlap, Scope
from asyncsched.registry import Task, where
from asyncsched.schedules import Cron, DailyAt, Every

ONCE = Difference(
    topic=Topic.SEVERAL_PROCESSES,
    there="there may be one beat only; a message that is delivered twice runs twice",
    here="any number of processes may run the scheduler: each occurrence is claimed once",
)
CATCH_UP = Difference(
    topic=Topic.MISSED,
    there="what came due while beat was down is sent once; a message that no worker takes within expires is dropped",
    here="catch_up and catch_up_window say what becomes of what was missed",
)
BESIDE = Difference(
    topic=Topic.OVERLAP,
    there="the next message is sent whether or not the last has been worked off",
    here="overlap says what becomes of an occurrence while the last run is going on",
)
JITTER = Difference(topic=Topic.STEPS, there="no jitter", here="jitter spreads the starts")
SECOND = Difference(topic=Topic.STEPS, there="at the full minute", here="at a second of the minute")
ON_START = Difference(topic=Topic.FIRST_RUN, there="by the schedule", here="also when the scheduler starts")
CONDITION = Difference(
    topic=Topic.CONDITION,
    there="it is sent, and runs: put the condition into the function",
    here="enabled_when is asked before each run",
)
RETRY = Difference(
    topic=Topic.AFTER_FAILURE,
    there="a retry is sent by retry_backoff, doubling, or after the same time, also past the task's next time",
    here="a Retry waits by delay, factor and max_delay, and the next occurrence takes the place of a late retry",
)
REST = Difference(
    topic=Topic.AFTER_FAILURE,
    there="it is sent at its next time, however often it has failed",
    here="after suspend_after failures in a row it rests",
)
TIMEOUT = Difference(
    topic=Topic.TIMEOUT,
    there="soft_time_limit, in whole seconds, raises SoftTimeLimitExceeded in the function",
    here="after timeout the run is over, a coroutine is cancelled",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A task, and what beat has for it: seconds, or crontabs in *zone*."""

    task: Task
    zone: str | None
    seconds: float | None = None
    crontabs: tuple[Crontab, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def expires(self) -> float:
        """Seconds after which a message that no worker has taken is of no use."""
        options = self.task.options
        if options.catch_up is CatchUp.NONE:
            return max(GRACE.total_seconds(), self.seconds or 0)
        return options.catch_up_window.total_seconds()


def exported(tasks: Iterable[Task], now: datetime) -> list[Sent | LeftOut]:
    """Return what becomes of *tasks*, without those of the scheduler's own. They have zones.

    Raises NotThere if Celery, whose crontab is asked what it does, is not installed.
    """
    return [_exported(task, now) for task in tasks if not task.is_own]


def _exported(task: Task, now: datetime) -> Sent | LeftOut:
    try:
        return _sent(task, now)
    except NoCounterpart as error:
        return LeftOut(name=task.name, source=where(task.function), problem=str(error))


def _sent(task: Task, now: datetime) -> Sent:
    schedule = task.schedule
    if "<" in task.function.__qualname__:
        raise NoCounterpart("its function has no path that a worker could import: give it one in a module")
    if task.options.scope is Scope.REPLICA:
        raise NoCounterpart("it is for every process, and a message is for one worker: leave it here")
    if isinstance(schedule, Every):
        return Sent(task=task, zone=None, seconds=schedule.seconds, differences=(COUNTED, *_lost(task)))
    if not isinstance(schedule, Cron | DailyAt):
        raise NoCounterpart(f"a schedule of your own, {type(schedule).__name__}, can only be moved by hand")
    zone = schedule.tz or "UTC"
    found = tuple(crontabs(schedule))
    changes = clock_changes.difference(_following(found, zone), schedule.next_after, zone, now)
    differences = (*((changes,) if changes else ()), *_lost(task))
    return Sent(task=task, zone=zone, crontabs=found, differences=differences)


def _following(found: Iterable[Crontab], zone: str) -> clock_changes.Following:
    """Return what Celery's own crontabs say comes next."""
    try:
        from celery import Celery  # noqa: PLC0415 - an optional extra
        from celery.schedules import crontab  # noqa: PLC0415
    except ImportError as error:
        raise NotThere("Celery is not installed: pip install 'asyncsched[celery]'") from error
    app: Any = Celery("asyncsched", set_as_current=False)
    app.conf.timezone = zone
    made: list[Any] = [crontab(**fields_of(one), app=app) for one in found]

    def after(moment: datetime) -> datetime:
        found: datetime = min(start + step for start, step, _ in (one.remaining_delta(moment) for one in made))
        return found

    return after


def fields_of(crontab: Crontab) -> dict[str, str]:
    """Return the fields of *crontab* that are not ``*``; the minute always."""
    fields = {name: getattr(crontab, name) for name in Crontab.__slots__}
    return {name: value for name, value in fields.items() if value != "*" or name == "minute"}


def _lost(task: Task) -> Iterator[Difference]:
    """Yield what is lost of the options, and of the schedule."""
    options, schedule = task.options, task.schedule
    yield from (ONCE, CATCH_UP)
    if options.overlap is not Overlap.ALLOW:
        yield BESIDE
    if schedule.jitter:
        yield JITTER
    if isinstance(schedule, DailyAt) and schedule.second:
        yield SECOND
    if options.run_on_start:
        yield ON_START
    if options.enabled_when is not None:
        yield CONDITION
    if options.retry.attempts > 1:
        yield RETRY
    if options.suspend_after is not None:
        yield REST
    if options.timeout is not None:
        yield TIMEOUT
