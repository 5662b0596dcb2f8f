"""Is it that time of day, and when may that change? By the clock on the wall of a zone. Pure.

The wall clock jumps where summer time begins and ends. Whatever it shows counts: what it shows
twice is inside twice, and what it never shows is not.
"""

from datetime import UTC, datetime, time, timedelta, tzinfo

from rules.definitions import Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_inside(window: Window, local: datetime) -> bool:
    """Return whether *local*, in the window's zone, is in *window*.

    A window over midnight belongs to the day it begins on: Friday's lasts until Saturday morning.
    """
    start, end, clock = window.start, window.end, local.time()
    begun_yesterday = False
    if end is None or start < end:
        inside = start <= clock and (end is None or clock < end)
    else:
        begun_yesterday = clock < end
        inside = begun_yesterday or start <= clock
    day = DAYS[(local.weekday() - begun_yesterday) % 7]
    return inside and (window.weekdays is None or day in window.weekdays)


def next_border(window: Window, now: datetime, zone: tzinfo) -> datetime:
    """Return the first instant after *now*, in UTC, at which *window* may begin or end; it may also do neither."""
    today = now.astimezone(zone).date()
    # What the wall clock shows twice has two instants, told apart by the fold.
    instants = [
        datetime.combine(today + timedelta(days=day), border, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for day in range(3)
        for border in (window.start, window.end or time.min)
        for fold in (0, 1)
    ]
    border = min(instant for instant in instants if instant > now)
    return _jump(now, border, zone) or border


def _jump(after: datetime, until: datetime, zone: tzinfo) -> datetime | None:
    """Return the instant in (*after*, *until*] at which the wall clock jumps, None if it does not."""
    offset = after.astimezone(zone).utcoffset()
    low, high = int(after.timestamp()), int(until.timestamp())
    if datetime.fromtimestamp(high, zone).utcoffset() == offset:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
