"""How many wrong codes are too many. The events say so, so it holds over replicas and restarts.

Call it in a transaction after ``arming.lock()``: else two tries at once would count as one.
"""

from datetime import datetime, timedelta

from alarm import events
from alarm.models import AlarmEvent

WINDOW = timedelta(minutes=5)
FIRST = timedelta(minutes=5)
LONGEST = timedelta(hours=1)
MEMORY = timedelta(days=1)
"""A lockout within this time after another of the same source lasts twice as long."""
EVERYBODY = "everybody"
LIMIT, LIMIT_OF_ALL = 5, 20
"""Wrong codes within WINDOW. Higher for all together, lest one person locks everybody out at once."""
REFUSED, LOCKED_OUT = "code_refused", "locked_out"


def until(source: str, *, now: datetime) -> datetime | None:
    """Return until when no code of *source* is looked at; None if one is."""
    recent = AlarmEvent.objects.filter(kind=LOCKED_OUT, created_at__gt=now - LONGEST)
    ends = [
        event.created_at + timedelta(seconds=event.details["seconds"])
        for event in recent
        if event.details.get("locked") in (source, EVERYBODY)
    ]
    end = max(ends, default=now)
    return end if end > now else None


def refuse(source: str, *, by: str, now: datetime) -> datetime | None:
    """Record a wrong code of *source*; return until when it is locked out, if this was one too many.

    *source* tells apart who tries, *by* is how events name it.
    """
    events.record(REFUSED, "A wrong code", source=by, details={"tried": source}, now=now)
    recent = AlarmEvent.objects.filter(kind=REFUSED, created_at__gt=now - WINDOW)
    tried = [event.details["tried"] for event in recent if "tried" in event.details]
    if tried.count(source) >= LIMIT:
        return _lock_out(source, by=by, now=now)
    if len(tried) >= LIMIT_OF_ALL:
        return _lock_out(EVERYBODY, by=by, now=now)
    return None


def _lock_out(locked: str, *, by: str, now: datetime) -> datetime:
    past = AlarmEvent.objects.filter(kind=LOCKED_OUT, created_at__gt=now - MEMORY)
    count = sum(1 for event in past if event.details.get("locked") == locked)
    length = min(LONGEST, FIRST * 2.0**count)
    who = "everybody is locked out" if locked == EVERYBODY else "locked out"
    message = f"Too many wrong codes: {who} for {length.total_seconds() / 60:g} min"
    details = {"locked": locked, "seconds": length.total_seconds()}
    events.record(LOCKED_OUT, message, source=by, details=details, now=now)
    return now + length
