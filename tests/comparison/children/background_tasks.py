"""What django-background-tasks does, by its own runner, in virtual time."""

import warnings
from datetime import UTC, datetime, timedelta

import time_machine
from project import BERLIN, experiment, report, set_up

ATTEMPTS = 3
set_up("background_task", MAX_ATTEMPTS=ATTEMPTS)

from background_task import background  # noqa: E402 - what follows needs Django, set up
from background_task.management.commands.process_tasks import Command  # noqa: E402
from background_task.models import CompletedTask, Task  # noqa: E402
from background_task.tasks import tasks  # noqa: E402
from django.utils.timezone import localtime, now  # noqa: E402

FIRST = datetime(2026, 3, 27, 2, 30, tzinfo=BERLIN)
ran: list[str] = []


@background(name="notes")
def notes():
    ran.append(f"{localtime(now()):%d %H:%M}")


@background(name="fails")
def fails():
    ran.append("fails")
    raise RuntimeError("no")


@background(name="asynchronous")
async def asynchronous():
    ran.append("awaited")


def begin(task, *, repeat: int) -> None:
    """Let there be *task* alone, first due at FIRST, and again after *repeat* seconds."""
    for model in (Task, CompletedTask):
        model.objects.all().delete()
    ran.clear()
    task(schedule=FIRST, repeat=repeat)


def work(moment: datetime) -> list[str]:
    """Do at *moment* what the worker does each time it wakes: work off what is due. Return what ran so far."""
    clock.move_to(moment.astimezone(UTC), tick=False)
    while tasks.run_next_task():
        pass
    return list(ran)


@experiment
def sleeps_for():
    return Command().create_parser("manage.py", "process_tasks").parse_args([]).sleep


@experiment
def daily_over_the_spring_change():
    begin(notes, repeat=Task.DAILY)
    return [work(FIRST.astimezone(UTC) + timedelta(days=day)) for day in range(4)][-1]


@experiment
def after_ten_minutes_down():
    begin(notes, repeat=60)
    work(FIRST)
    ran_so_far = work(FIRST + timedelta(minutes=10, seconds=30))
    next_run = localtime(Task.objects.get().run_at)
    return {"ran": ran_so_far, "next": f"{next_run:%H:%M:%S}", "rows": CompletedTask.objects.count()}


@experiment
def failing():
    begin(fails, repeat=60)
    delays = []
    work(FIRST)
    while task := Task.objects.first():
        delays.append((task.run_at - now()).total_seconds())
        work(task.run_at)
    return {"delays": delays, "runs": len(ran), "attempts allowed": ATTEMPTS}


@experiment
def rows_after_two_starts():
    begin(notes, repeat=60)
    notes(schedule=FIRST, repeat=60)
    return Task.objects.count()


@experiment
def locked_by_two_workers():
    begin(notes, repeat=60)
    clock.move_to(FIRST, tick=False)
    return [bool(Task.objects.get().lock(name)) for name in ("1", "2")]


@experiment
def minutes_after_which_a_locked_task_is_free():
    begin(notes, repeat=60)
    clock.move_to(FIRST, tick=False)
    Task.objects.get().lock("1")
    free = []
    for minutes in (59, 61):
        clock.move_to(FIRST + timedelta(minutes=minutes), tick=False)
        if Task.objects.find_available().exists():
            free.append(minutes)
    return free


@experiment
def of_an_async_function():
    begin(asynchronous, repeat=Task.NEVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a coroutine that nobody awaits
        return {"ran": work(FIRST), "succeeded": CompletedTask.objects.succeeded().count()}


with time_machine.travel(datetime(2026, 3, 1, tzinfo=UTC), tick=False) as clock:
    report()
