"""Time windows, by the clock on the wall, over the nights on which it jumps."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.definitions import Window, parse
from rules.windows import DAYS, is_inside, next_border

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]
).map(ZoneInfo)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
WEEKDAYS = st.lists(st.sampled_from(DAYS), min_size=1, max_size=6, unique=True)
# Winter and summer of the northern house, with the jumps of all zones in between; Apia once skipped a whole day.
YEARS = st.integers(
    int(datetime(2011, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2012, 12, 31, tzinfo=UTC).timestamp())
)
MOMENTS = YEARS.map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@st.composite
def windows(draw):
    after, before, weekdays = (draw(st.none() | choices) for choices in (CLOCKS, CLOCKS, WEEKDAYS))
    if before == (after or "00:00"):
        before = None
    if after is None and before is None and weekdays is None:
        after = "22:00"
    return Window(after=after, before=before, weekdays=None if weekdays is None else tuple(weekdays))


def read(window):
    return parse({"when": {"time": window}, "then": [{"type": "notify", "body": "x"}]}).when.time


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("window", "moment", "inside"),
    [
        ({"after": "08:00", "before": "18:00"}, "2026-11-25 07:59:59.999999", False),
        ({"after": "08:00", "before": "18:00"}, "2026-11-25 08:00", True),
        ({"after": "08:00", "before": "18:00"}, "2026-11-25 17:59:59", True),
        ({"after": "08:00", "before": "18:00"}, "2026-11-25 18:00", False),
        ({"after": "22:00", "before": "06:00"}, "2026-11-25 23:00", True),
        ({"after": "22:00", "before": "06:00"}, "2026-11-25 05:59", True),
        ({"after": "22:00", "before": "06:00"}, "2026-11-25 06:00", False),
        ({"after": "22:00", "before": "00:00"}, "2026-11-25 23:59", True),
        ({"after": "22:00", "before": "00:00"}, "2026-11-25 00:00", False),
        ({"after": "22:00"}, "2026-11-25 23:59", True),
        ({"after": "22:00"}, "2026-11-25 00:00", False),
        ({"before": "06:00"}, "2026-11-25 00:00", True),
        ({"weekdays": ["wed"]}, "2026-11-25 23:59", True),
        ({"weekdays": ["wed"]}, "2026-11-26 00:00", False),
        # Friday's night lasts until Saturday morning, and Thursday's until Friday morning.
        ({"after": "22:00", "before": "06:00", "weekdays": ["fri"]}, "2026-11-28 05:00", True),
        ({"after": "22:00", "before": "06:00", "weekdays": ["fri"]}, "2026-11-27 05:00", False),
        ({"after": "22:00", "before": "06:00", "weekdays": ["fri"]}, "2026-11-28 22:30", False),
    ],
)
def test_whether_it_is_that_time(window, moment, inside):
    assert is_inside(read(window), berlin(moment)) is inside


@pytest.mark.parametrize(
    ("window", "now", "border"),
    [
        ({"after": "22:00", "before": "06:00"}, "2026-11-25 21:00", "2026-11-25T21:00:00+00:00"),
        ({"after": "22:00", "before": "06:00"}, "2026-11-25 22:00", "2026-11-26T05:00:00+00:00"),
        ({"weekdays": ["sun"]}, "2026-11-25 12:00", "2026-11-25T23:00:00+00:00"),
        # On 29 March 02:30 does not exist: what begins then begins at 03:00, which is 01:00 UTC.
        ({"after": "02:30", "before": "04:00"}, "2026-03-29 01:59", "2026-03-29T01:00:00+00:00"),
        # On 25 October 02:30 comes twice: what ends then begins again when the clock is set back to 02:00.
        ({"after": "01:00", "before": "02:30"}, "2026-10-25 02:10", "2026-10-25T00:30:00+00:00"),
        ({"after": "01:00", "before": "02:30"}, "2026-10-25 02:40", "2026-10-25T01:00:00+00:00"),
    ],
)
def test_when_to_look_again(window, now, border):
    assert next_border(read(window), berlin(now), BERLIN).isoformat() == border


@given(windows(), MOMENTS, ZONES)
def test_what_the_wall_clock_shows_decides(window, moment, zone):
    local = moment.astimezone(zone)
    start, end = window.after or "00:00", window.before or "24:00"
    shown = f"{local:%H:%M}"
    begun = local.date()
    if start < end:
        inside = start <= shown < end
    else:
        inside = shown >= start or shown < end
        if shown < end:
            begun -= timedelta(days=1)

    expected = inside and (window.weekdays is None or f"{begun:%a}".lower() in window.weekdays)
    assert is_inside(window, local) is expected


@given(windows(), MOMENTS, ZONES, st.floats(0, 1))
def test_nothing_changes_before_it_is_looked_at_again(window, now, zone, share):
    again = next_border(window, now, zone)

    between = now + (again - now) * share
    assert now < again <= now + timedelta(days=2)
    assert between == again or is_inside(window, between.astimezone(zone)) is is_inside(window, now.astimezone(zone))
    last = again - timedelta(microseconds=1)
    assert is_inside(window, last.astimezone(zone)) is is_inside(window, now.astimezone(zone))


@given(windows(), MOMENTS, ZONES)
def test_a_window_that_has_both_ends_is_left_and_entered_again(window, now, zone):
    seen = set()
    for _ in range(60):
        seen.add(is_inside(window, now.astimezone(zone)))
        now = next_border(window, now, zone)

    assert True in seen
    assert False in seen or (window.weekdays is None and time.fromisoformat(window.after or "00:00") == time.min)
