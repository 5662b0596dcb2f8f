"""Moments and zones to try schedules on."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

from hypothesis import strategies as st

FIRST, LAST = datetime(1970, 1, 2), datetime(2100, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
ZONES = st.one_of(
    st.sampled_from(
        [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",  # half an hour of DST
            "America/Sao_Paulo",  # gaps at midnight
            "Asia/Beirut",
            "Africa/Cairo",
            "Pacific/Apia",  # skipped a day
            "Pacific/Kwajalein",
            "Asia/Kathmandu",
            "Africa/Casablanca",
            "Antarctica/Troll",  # two hours of DST
        ]
    ),
    st.sampled_from(sorted(zone for zone in available_timezones() if "/" in zone)),
)
