"""What the scheduler finds wrong with its own tasks goes to people.

The message is part of the transaction in which the scheduler notes the incident, so that there is
one for each, whichever process noticed. Where no process runs that would send it, it is sent here.
"""

import hashlib
import time
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone

from asyncsched.alerts import Alert
from asyncsched.signals import nobody_schedules, task_overdue, task_recovered
from notifications import outbox
from notifications.delivery import send_pending
from notifications.transports.apprise_urls import apprise_transport

MOST_NAMED = 10  # tasks that get a line of their own
PATIENCE = 30.0  # seconds after which sending from a command takes up no further message
MOST_SENT = 20  # messages
ENDINGS = {
    "failed": " Its last run failed.",
    "timed_out": " Its last run took too long.",
    "cancelled": " Its last run was cut off.",
    "abandoned": " Its last run died with its process.",
}
NOBODY = "No process runs the scheduler, so no other task runs either."


@receiver(task_overdue)
def tell_of_overdue(alerts: Sequence[Alert], *, is_scheduler_alive: bool, **_: object) -> None:
    """Queue one message for all of *alerts*: urgent, for what should have been noticed has not been."""
    if len(alerts) == 1:
        title, body = f"{alerts[0].task} has not succeeded in time", _sentences(alerts[0])
    else:
        title, body = f"{len(alerts)} tasks have not succeeded in time", _lines([_line(alert) for alert in alerts])
    if not is_scheduler_alive:
        title, body = f"The scheduler is down: {title}", f"{body}\n{NOBODY}"
    outbox.queue(title, body, urgent=True, idempotency_key=_key("overdue", alerts))


@receiver(task_recovered)
def tell_of_recovery(alerts: Sequence[Alert], **_: object) -> None:
    """Queue one message for all of *alerts*; it can wait for the end of quiet hours."""
    what = alerts[0].task if len(alerts) == 1 else f"{len(alerts)} tasks"
    title = f"{what} {'has' if len(alerts) == 1 else 'have'} succeeded again"
    body = _lines([f"{alert.task}, {alert.schedule}, succeeded at {_at(alert.last_success_at)}" for alert in alerts])
    outbox.queue(title, body, idempotency_key=_key("recovered", alerts))


@receiver(nobody_schedules)
def send_what_is_urgent(**_: object) -> None:
    """Send what is urgent in place of the task that would, for a while at most; also what could not go before."""
    if not settings.NOTIFY_URLS:
        return
    deadline = time.monotonic() + PATIENCE
    transport = apprise_transport(tuple(settings.NOTIFY_URLS))
    send_pending(transport, limit=MOST_SENT, urgent_only=True, stopping=lambda: time.monotonic() > deadline)


def _sentences(alert: Alert) -> str:
    success = f"has not succeeded since {_at(alert.last_success_at)}" if alert.last_success_at else "never succeeded"
    ending = ENDINGS.get(alert.last_status, "")
    return f"{alert.task}, {alert.schedule}, {success}. It should have by {_at(alert.expected_by)}.{ending}"


def _line(alert: Alert) -> str:
    success = f"last success {_at(alert.last_success_at)}" if alert.last_success_at else "never succeeded"
    return f"{alert.task}, {alert.schedule}: {success}"


def _lines(lines: Sequence[str]) -> str:
    more = len(lines) - MOST_NAMED
    return "\n".join([*lines[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _at(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M %Z}" if moment else "never"


def _key(what: str, alerts: Sequence[Alert]) -> str:
    """Return what marks this incident: of one task, not two successes are missed by the same moment."""
    marks = "\n".join(sorted(f"{alert.task} {alert.expected_by.isoformat()}" for alert in alerts))
    return f"{what} {hashlib.sha256(marks.encode()).hexdigest()}"
