"""The one way to write down that something happened."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from alarm.models import AlarmEvent

MAX_KIND = 50
MAX_MESSAGE = 500
MAX_SOURCE = 100


def record(
    kind: str,
    message: str = "",
    *,
    source: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> AlarmEvent:
    """Store an event of *now*, as part of the caller's transaction if there is one.

    *details* must be fit for JSON. A message or source that is too long is cut, since half an
    event is better than none.

    Raises:
        ValueError: if *kind* is empty or longer than 50 characters.
    """
    if not 0 < len(kind) <= MAX_KIND:
        raise ValueError(f"kind={kind!r}: must be text of 1 to {MAX_KIND} characters")
    return AlarmEvent.objects.create(
        kind=kind,
        message=message[:MAX_MESSAGE],
        source=source[:MAX_SOURCE],
        details=dict(details or {}),
        created_at=now or timezone.now(),
    )
