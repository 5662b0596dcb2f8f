"""What the alarm system does on schedule."""

from django.contrib.sessions.models import Session
from django.utils import timezone

from alarm import timers
from alarm.models import AlarmEvent
from alarm.push import announce_always, broadcast
from asyncsched import DailyAt, Every, Retry, register, service
from notifications import outbox
from retention.batches import delete_in_batches
from retention.limits import cutoff

# A clean-up ends between two batches when its time is up and goes on the day after.
CLEANUP_TIMEOUT = 1800.0  # seconds
CLEANUP_RETRY = Retry(attempts=3, delay=60, max_delay=600)


@register("broadcast_system_status", schedule=Every(seconds=2), timeout=1.5)
async def broadcast_system_status() -> str | None:
    """Push the status of the house and of the scheduler to everybody who looks."""
    return await broadcast()


@register("cleanup_old_events", schedule=DailyAt(hour=3, minute=0), timeout=CLEANUP_TIMEOUT, retry=CLEANUP_RETRY)
def cleanup_old_events() -> int:
    """Delete alarm events, and notifications that are over, older than their settings allow; return how many."""
    deleted = 0
    if before := cutoff("RETAIN_ALARM_EVENTS_DAYS"):
        deleted += delete_in_batches(AlarmEvent.objects.filter(created_at__lt=before))
    if before := cutoff("RETAIN_NOTIFICATIONS_DAYS"):
        deleted += delete_in_batches(outbox.over_since(before))
    return deleted


@register("cleanup_expired_sessions", schedule=DailyAt(hour=4, minute=0), timeout=CLEANUP_TIMEOUT, retry=CLEANUP_RETRY)
def cleanup_expired_sessions() -> int:
    """Delete sign-in sessions that have expired; return how many."""
    return delete_in_batches(Session.objects.filter(expire_date__lt=timezone.now()))


@service("alarm timers")
async def alarm_timers() -> None:
    """Go on to what follows when a delay of the alarm ends."""
    await timers.keep()


@service("alarm push")
async def alarm_push() -> None:
    """Tell clients at once what this process makes of the alarm."""
    await announce_always()
