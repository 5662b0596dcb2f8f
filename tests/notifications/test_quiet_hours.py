"""Quiet hours: messages wait until they end, unless they are urgent."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from notifications import claims, outbox
from notifications.models import Channel
from notifications.policies import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")


def quiet_until(begin, end, now, zone="Europe/Berlin"):
    """Return the end of the quiet hours at *now*, local time, as local time."""
    hours = QuietHours(begin=time.fromisoformat(begin), end=time.fromisoformat(end), zone=zone)
    until = hours.until(datetime.fromisoformat(now).astimezone(UTC))
    return until and until.astimezone(ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T21:59:59+01:00", None),
        ("2026-11-23T22:00:00+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-23T23:59:59+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-24T00:00:00+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-24T06:59:59+01:00", "2026-11-24T07:00:00+01:00"),
        ("2026-11-24T07:00:00+01:00", None),
    ],
)
def test_hours_over_midnight_are_quiet_from_their_beginning_until_their_end(now, until):
    assert quiet_until("22:00", "07:00", now) == until


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T12:59:59+01:00", None),
        ("2026-11-23T13:00:00+01:00", "2026-11-23T15:00:00+01:00"),
        ("2026-11-23T15:00:00+01:00", None),
        ("2026-11-23T23:00:00+01:00", None),
    ],
)
def test_hours_within_a_day_are_quiet_in_between(now, until):
    assert quiet_until("13:00", "15:00", now) == until


@pytest.mark.parametrize(
    ("end", "now", "until"),
    [
        # On 29 March 2026 clocks go from 02:00 to 03:00; on 25 October from 03:00 back to 02:00.
        ("07:00", "2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"),
        ("02:30", "2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00"),
        ("02:30", "2026-03-29T03:00:00+02:00", None),
        ("07:00", "2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"),
        ("02:30", "2026-10-25T02:29:59+02:00", "2026-10-25T02:30:00+02:00"),
        ("02:30", "2026-10-25T02:15:00+01:00", None),
    ],
)
def test_they_end_once_in_the_nights_in_which_clocks_change(end, now, until):
    assert quiet_until("22:00", end, now) == until


def test_hours_that_lie_within_what_clocks_jump_over_do_not_come():
    assert quiet_until("02:10", "02:40", "2026-03-29T01:59:59+01:00") is None
    assert quiet_until("02:10", "02:40", "2026-03-29T03:00:00+02:00") is None


@pytest.fixture
def quiet_night(db, clock):
    """The clock, at 23:00 in Berlin, with a channel that is quiet from 22:00 to 07:00 there."""
    Channel.objects.create(name="family", quiet_from=time(22), quiet_until=time(7), time_zone="Europe/Berlin")
    clock.move_to(datetime(2026, 11, 23, 23, 0, tzinfo=BERLIN))
    return clock


def bodies_that_may_go():
    return [claimed.message.body for claimed in iter(lambda: claims.claim_next(timezone.now()), None)]


def test_messages_that_are_queued_in_quiet_hours_go_when_they_end(quiet_night):
    outbox.queue("Door", "It is open", channel="family")
    outbox.queue("Door", "It is shut", channel="family")
    assert bodies_that_may_go() == []

    quiet_night.move_to(datetime(2026, 11, 24, 7, 0, tzinfo=BERLIN))
    assert bodies_that_may_go() == ["It is open", "It is shut"]


def test_a_message_whose_next_attempt_falls_into_quiet_hours_waits_as_well(quiet_night):
    quiet_night.move_to(datetime(2026, 11, 23, 21, 59, 59, tzinfo=BERLIN))
    outbox.queue("Door", "It is open", channel="family")
    claims.record_failure(claims.claim_next(timezone.now()), "no answer", permanent=False, now=timezone.now())

    quiet_night.move_to(datetime(2026, 11, 24, 3, 0, tzinfo=BERLIN))
    assert bodies_that_may_go() == []

    quiet_night.move_to(datetime(2026, 11, 24, 7, 0, tzinfo=BERLIN))
    assert bodies_that_may_go() == ["It is open"]


def test_an_urgent_message_does_not_wait(quiet_night):
    outbox.queue("Alarm", "Somebody is in", channel="family", urgent=True)

    assert bodies_that_may_go() == ["Somebody is in"]


def test_other_channels_do_not_wait(quiet_night):
    outbox.queue("Door", "It is open")

    assert bodies_that_may_go() == ["It is open"]


def test_a_channel_that_names_no_zone_has_that_of_the_server(quiet_night, settings):
    settings.TIME_ZONE = "Asia/Tokyo"  # where it is 07:00 on the day after
    Channel.objects.create(name="office", quiet_from=time(6, 30), quiet_until=time(7, 30))
    outbox.queue("Door", "It is open", channel="office")

    assert bodies_that_may_go() == []


def test_messages_that_waited_go_as_one_where_repeats_do(quiet_night):
    Channel.objects.filter(name="family").update(collapse_seconds=300)
    for _ in range(3):
        outbox.queue("", "It is open", channel="family")

    quiet_night.move_to(datetime(2026, 11, 24, 7, 0, tzinfo=BERLIN))
    assert bodies_that_may_go() == ["It is open (×3)"]
