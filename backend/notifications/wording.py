"""What people get to read: in the message itself, and in the admin about its way."""

from datetime import datetime, timedelta

from django.utils import timezone

from notifications.models import Notification, Status
from notifications.policies import Policy
from notifications.transports.base import Message


def message(row: Notification, now: datetime) -> Message:
    """Return what is sent for *row*, which tells how many messages it speaks for."""
    if row.follows_at is not None:
        more = f"({row.repeats} more in the last {span(now - row.follows_at)})"
        return Message(title=row.title, body=f"{row.body}\n{more}")
    times = f" (×{row.repeats})" if row.repeats > 1 else ""
    if row.title:
        return Message(title=row.title + times, body=row.body, urgent=row.urgent)
    return Message(title="", body=row.body + times, urgent=row.urgent)


def span(length: timedelta) -> str:
    """Return *length* as one speaks of it: ``40 seconds``, ``5 minutes``, ``2 hours``."""
    seconds = round(length.total_seconds())
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {unit}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def outlook(row: Notification, policy: Policy, now: datetime, *, held_until: datetime | None) -> str:
    """Return what comes next for *row*. *held_until*: until when another of its kind holds it back, if one does."""
    match row.status:
        case Status.PENDING:
            return _waiting(row, policy, now, held_until)
        case Status.SENDING:
            return f"being sent; another sender takes over at {_at(row.next_attempt_at)} if this one dies"
        case Status.MERGED:
            return f"goes with message {row.part_of_id}" if row.part_of_id else "went with another"
        case Status.SENT if row.sent_at is not None:
            return f"sent at {_at(row.sent_at)}"
        case Status.DEAD:
            return f"given up after {row.attempts} of {policy.retry.attempts} attempts"
    return Status(row.status).label


def _waiting(row: Notification, policy: Policy, now: datetime, held_until: datetime | None) -> str:
    if not row.urgent:
        if not policy.enabled:
            return "waits until its channel is switched on"
        quiet_until = policy.quiet.until(max(now, row.next_attempt_at)) if policy.quiet else None
        if quiet_until:
            return f"waits for the end of the quiet hours at {_at(quiet_until)}"
        if held_until and held_until > now:
            return f"held back as a repeat until {_at(held_until)}"
    if row.attempts:
        return f"attempt {row.attempts + 1} of {policy.retry.attempts} at {_at(row.next_attempt_at)}"
    return "next"


def _at(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
