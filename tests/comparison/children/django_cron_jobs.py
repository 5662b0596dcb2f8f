"""What django-cron does, by its own `runcrons`, in virtual time."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import time_machine
from project import BERLIN, experiment, report, set_up

set_up("django_cron", CRON_CLASSES=[])

from django.core.management import call_command  # noqa: E402 - what follows needs Django, set up
from django.utils.timezone import localtime, now  # noqa: E402
from django_cron import CronJobBase, Schedule  # noqa: E402
from django_cron.backends.lock.cache import CacheLock  # noqa: E402
from django_cron.models import CronJobLog  # noqa: E402

STEP = timedelta(minutes=10)  # how often the crontab calls `runcrons`
ran: list[str] = []


def note(what: str = "") -> None:
    ran.append(f"{what}{localtime(now()):%d %H:%M}")


class Nightly(CronJobBase):
    code = "nightly"
    schedule = Schedule(run_at_times=["02:30"])

    def do(self):
        note()


class HalfHourly(Nightly):
    code = "half-hourly"
    schedule = Schedule(run_every_mins=30)


class Fails(Nightly):
    code = "fails"

    def do(self):
        note("fails ")
        raise RuntimeError("no")


class TakesAnHour(Nightly):
    code = "takes an hour"

    def do(self):
        clock.shift(timedelta(hours=1))


class Async(Nightly):
    code = "async"

    async def do(self):
        note()


def called(*moments: datetime, jobs: tuple[type[CronJobBase], ...] = (Nightly,)) -> list[str]:
    """Call `runcrons` for *jobs* at each of *moments*, before which nothing has run; return what did."""
    ran.clear()
    CronJobLog.objects.all().delete()
    for moment in moments:
        clock.move_to(moment, tick=False)
        call_command("runcrons", *(f"__main__.{job.__name__}" for job in jobs), silent=True)
    return list(ran)


def hours(begin: datetime, count: int) -> Iterator[datetime]:
    """Yield the moments of the crontab from *begin* on."""
    yield from (begin.astimezone(UTC) + STEP * number for number in range(count * 6))


@experiment
def seconds():
    try:
        Schedule(run_every_seconds=2)
    except TypeError as error:
        return str(error)


@experiment
def spring():
    return called(*hours(datetime(2026, 3, 29, tzinfo=BERLIN), 5))


@experiment
def autumn():
    return called(*hours(datetime(2026, 10, 25, tzinfo=BERLIN), 6))


@experiment
def down_until_nine():
    return called(datetime(2026, 6, 10, 9, tzinfo=BERLIN))


@experiment
def down_past_midnight():
    return called(datetime(2026, 6, 11, 0, 10, tzinfo=BERLIN))


@experiment
def every_half_hour():
    return called(*hours(datetime(2026, 6, 10, tzinfo=BERLIN), 2), jobs=(HalfHourly,))


@experiment
def beside_a_failure():
    night = datetime(2026, 6, 10, 2, 30, tzinfo=BERLIN)
    started = called(night, night + STEP, jobs=(Fails, Nightly))
    return {"ran": started, "rows": list(CronJobLog.objects.order_by("id").values_list("code", "is_success"))}


@experiment
def after_a_job_of_an_hour():
    return called(datetime(2026, 6, 10, 2, 30, tzinfo=BERLIN), jobs=(TakesAnHour, Nightly))


@experiment
def after_a_kill():
    noon = datetime(2026, 6, 10, 12, tzinfo=BERLIN)
    clock.move_to(noon, tick=False)
    CacheLock(Nightly, silent=True).lock()  # a process that is killed does not let go
    return called(noon + timedelta(hours=1), noon + timedelta(hours=23), noon + timedelta(hours=25))


@experiment
def asynchronous():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a coroutine that nobody awaits
        return called(datetime(2026, 6, 10, 9, tzinfo=BERLIN), jobs=(Async,))


with time_machine.travel(datetime(2026, 1, 1, tzinfo=BERLIN), tick=False) as clock:
    report()
