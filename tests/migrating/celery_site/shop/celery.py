"""The app, and what its beat sends."""

from celery import Celery
from celery.schedules import crontab, solar

app = Celery("shop", include=["shop.jobs"])
app.config_from_object("django.conf:settings", namespace="CELERY")


def entry(what: str, schedule: object, **more: object) -> dict[str, object]:
    return {what: {"task": "shop.jobs.note", "schedule": schedule, "args": (what,), **more}}


app.conf.beat_schedule = {
    **entry("four hours", 14400.0),
    **entry("quarters", crontab(minute="*/15", hour="0-5")),
    **entry("even hours", crontab(minute=10, hour="*/2")),
    **entry("first monday", crontab(0, 9, day_of_month="1-7", day_of_week="mon"), options={"queue": "reports"}),
    **entry("friday the 26th", crontab(0, 9, day_of_month="12-14,26", day_of_week="fri"), options={"expires": 3600}),
    **entry("month's end", crontab(59, 23, day_of_month="28-31")),
    **entry("every seventh", crontab(minute="*/7", hour="8,12")),
    **entry("at night", crontab(minute=5, hour="22-4", day_of_week="sat,sun")),
    **entry("odd days", crontab(0, 6, day_of_month="*/2", day_of_week="mon-fri")),
    "nightly": {"task": "shop.jobs.close_the_day", "schedule": crontab(hour=2, minute=30)},
    # Without its arguments: they ask for a library that is not installed here.
    "at sunset": {"task": "shop.jobs.note", "schedule": solar.__new__(solar)},
    "elsewhere": {"task": "warehouse.jobs.count", "schedule": 3600},
    "by value": {"task": "shop.jobs.note", "schedule": 7200, "args": (object(),)},
}


@app.on_after_finalize.connect
def add_more(sender: Celery, **kwargs: object) -> None:
    note = sender.tasks["shop.jobs.note"]
    sender.add_periodic_task(crontab(minute=0, hour="*/6"), note.s("four a day"), name="four a day")
