"""What the shop does in the background, and its rows as somebody has made them."""

from datetime import datetime, timedelta

from background_task import background
from background_task.models import Task
from django.utils import timezone
from shop_log import note

tried: set[datetime] = set()


@background
def refresh_prices() -> None:
    """Ask the wholesaler."""
    note("refresh_prices")


@background(name="Greetings", queue="mail")
def send_greetings(whom: str, *, again: bool = False) -> None:
    note("send_greetings")


@background
def close_the_day() -> None:
    note("close_the_day")


@background
def campaign() -> None:
    note("campaign")


@background
def later() -> None:
    note("later")


@background
def flaky() -> None:
    now = timezone.now()
    if now.day == 16 and now.replace(minute=0, second=0, microsecond=0) not in tried:
        tried.add(now.replace(minute=0, second=0, microsecond=0))
        note("flaky fails")
        raise ConnectionError("no route to host")
    note("flaky")


@background
def order(number: int) -> None:
    note("order")


def make_rows() -> None:
    """Schedule it all, as of now."""
    now = timezone.now()
    refresh_prices(schedule=timedelta(minutes=7), repeat=3 * 3600)
    send_greetings("all of you", again=True, schedule=90, repeat=Task.WEEKLY, priority=3, verbose_name="Greet all")
    close_the_day(schedule=timedelta(hours=11, minutes=30), repeat=Task.DAILY)
    campaign(schedule=3600, repeat=6 * 3600, repeat_until=now + timedelta(days=9, minutes=5))
    later(schedule=now + timedelta(days=6), repeat=Task.DAILY)
    flaky(schedule=timedelta(minutes=20), repeat=12 * 3600)
    for number in range(3):
        order(number, schedule=now + timedelta(days=400))
    Task(task_name="shop.tasks.gone", task_params="[[], {}]", task_hash="", run_at=now, repeat=3600).save()
    at = now + timedelta(days=400)
    Task(task_name="shop.tasks.later", task_params="[", task_hash="", run_at=at, repeat=3600).save()
