"""Moments and zones to try schedules on, above all the nights on which clocks change."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import settings
from hypothesis import strategies as st

HALF_AS_MANY = settings(max_examples=settings.default.max_examples // 2)
"""For properties that take long on each example, so that the whole suite stays quick."""

FIRST, LAST = datetime(1970, 1, 2), datetime(2100, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
EVERY_ZONE = sorted(zone for zone in available_timezones() if "/" in zone)
ZONES = st.one_of(
    st.sampled_from(
        [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",  # half an hour of DST
            "America/Sao_Paulo",  # gaps at midnight
            "America/Nuuk",  # a gap that ends at midnight
            "America/St_Johns",  # from 00:01 back to 23:01
            "Asia/Beirut",
            "Africa/Cairo",
            "Pacific/Apia",  # skipped a day
            "Pacific/Kwajalein",
            "Asia/Kathmandu",
            "Africa/Casablanca",
            "Antarctica/Troll",  # two hours of DST
        ]
    ),
    st.sampled_from(EVERY_ZONE),
)


@dataclass(frozen=True)
class Night:
    """A zone, and an instant at which its clocks change (or just a moment, if they do not that year)."""

    zone: str
    change: datetime

    @property
    def hour_before(self) -> int:
        return (self.change - timedelta(minutes=1)).astimezone(ZoneInfo(self.zone)).hour


@cache
def changes(zone: str, year: int) -> list[datetime]:
    """Return the instants of *year* at which the clocks of *zone* change, but for those within a minute.

    (Africa/Monrovia, 7 January 1972, is the only one since 1970: see test_daily.)
    """
    start = datetime(year, 1, 1, tzinfo=UTC)
    found, days = [], [start + timedelta(days=day) for day in range(0, 371, 5)]
    for before, after in pairwise(days):
        if offset(before, zone) != offset(after, zone):
            seconds = range(int((after - before).total_seconds()))
            found.append(
                before + timedelta(seconds=bisect_left(seconds, True, key=partial(is_new, zone, before, after)))
            )
    return [change for change in found if not change.second]


def offset(moment: datetime, zone: str) -> timedelta | None:
    return moment.astimezone(ZoneInfo(zone)).utcoffset()


def is_new(zone: str, before: datetime, after: datetime, seconds: int) -> bool:
    return offset(before + timedelta(seconds=seconds), zone) == offset(after, zone)


@st.composite
def nights(draw: st.DrawFn) -> Night:
    zone, year = draw(ZONES), draw(st.integers(1970, 2099))
    return Night(
        zone,
        draw(st.sampled_from(changes(zone, year) or [datetime(year, 7, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)])),
    )


def moments_near(night: Night) -> st.SearchStrategy[datetime]:
    """Moments within a day of the change: on its minutes and seconds, and a little beside them."""
    return st.builds(
        lambda seconds, microseconds: night.change + timedelta(seconds=seconds, microseconds=microseconds),
        st.one_of(
            st.integers(-5, 5),
            st.integers(-120, 120).map(lambda minutes: 60 * minutes),
            st.integers(-90_000, 90_000),
        ),
        st.sampled_from([0, 0, 1, -1, 500_000]),
    )
