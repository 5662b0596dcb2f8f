"""What schedules should name around a change of clocks, by looking at the clock once a minute.

Slow and simple on purpose, and without any of the code under test: nothing here knows of offsets.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.schedules.moments import Night

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(hours=26)
"""How far to look to either side of the change: more than the longest shift, which is a day."""


@lru_cache(maxsize=16)
def shown(night: Night) -> dict[datetime, list[datetime]]:
    """Return for each local minute around the change the instants at which a clock on the wall shows it."""
    zone = ZoneInfo(night.zone)
    seen: dict[datetime, list[datetime]] = {}
    for number in range(-WINDOW // MINUTE, WINDOW // MINUTE):
        instant = night.change + number * MINUTE
        seen.setdefault(instant.astimezone(zone).replace(tzinfo=None), []).append(instant)
    return seen


def occurrences(
    night: Night, matches: Callable[[datetime], bool], *, gap: str, fold: str, whole_dates: bool = False
) -> set[datetime]:
    """Return when to run in the window for local minutes that match.

    With *whole_dates*, a date that no clock showed has no run, whatever *gap* says.
    """
    seen = shown(night)
    dates = {wall.date() for wall in seen}
    found: set[datetime] = set()
    wall, last = min(seen), max(seen)
    while wall <= last:
        if matches(wall):
            if wall in seen:
                chosen = {"first": seen[wall][:1], "second": seen[wall][-1:], "both": seen[wall]}[fold]
                found.update(chosen)
            elif gap == "run_after" and (wall.date() in dates or not whole_dates):
                found.add(seen[min(later for later in seen if later > wall)][0])
        wall += MINUTE
    return found
