"""How long rows are kept: settable at run time in the admin."""

from datetime import datetime, timedelta

from constance import config
from django.utils import timezone


def cutoff(setting_name: str, *, now: datetime | None = None) -> datetime | None:
    """Return the instant (aware, UTC) before which rows may be deleted; None if everything is kept.

    *setting_name* is a run-time setting in days, such as ``RETAIN_ALARM_EVENTS_DAYS``; 0 keeps
    everything. It is read from the database at each call, so a change needs no restart.

    Raises:
        AttributeError: if there is no such setting.
    """
    days: int = getattr(config, setting_name)
    if days <= 0:
        return None
    return (now or timezone.now()) - timedelta(days=days)
