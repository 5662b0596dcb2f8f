"""Too many wrong codes: who is locked out, for how long, and what undoes it."""

from datetime import UTC, datetime, timedelta

import pytest

from alarm import events, lockout
from alarm.models import AlarmEvent

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA, BEN = "1@192.0.2.1", "2@192.0.2.1"


def refuse(source=ANNA, *, now=NOW, times=1):
    """Refuse *times* codes; return what came of the last."""
    return [lockout.refuse(source, by="user:somebody", now=now) for _ in range(times)][-1]


def test_four_wrong_codes_lock_nobody_out():
    assert refuse(times=4) is None
    assert lockout.until(ANNA, now=NOW) is None


def test_the_fifth_locks_out_for_five_minutes():
    end = NOW + timedelta(minutes=5)

    assert refuse(times=5) == end
    assert lockout.until(ANNA, now=end - timedelta(seconds=1)) == end
    assert lockout.until(ANNA, now=end) is None


def test_wrong_codes_of_long_ago_do_not_count():
    refuse(times=4)

    assert refuse(now=NOW + timedelta(minutes=5)) is None


def test_wrong_codes_count_over_the_last_five_minutes_at_any_time():
    refuse(times=2)
    refuse(now=NOW + timedelta(minutes=4), times=2)

    assert refuse(now=NOW + timedelta(minutes=6)) is None
    assert refuse(now=NOW + timedelta(minutes=6), times=2)


def test_others_are_not_locked_out_with_somebody():
    refuse(ANNA, times=5)

    assert lockout.until(BEN, now=NOW) is None


def test_each_lockout_of_a_day_is_twice_as_long_up_to_an_hour():
    now, lengths = NOW, []
    for _ in range(6):
        end = refuse(now=now, times=5)
        lengths.append((end - now) / timedelta(minutes=1))
        now = end + timedelta(seconds=1)

    assert lengths == [5, 10, 20, 40, 60, 60]


def test_after_a_quiet_day_it_begins_anew():
    refuse(times=5)
    later = NOW + timedelta(days=1)

    assert refuse(now=later, times=5) == later + timedelta(minutes=5)


def test_many_who_guess_together_lock_everybody_out():
    ends = [refuse(f"{number}@192.0.2.{number}", times=4) for number in range(5)]

    assert ends == [None] * 4 + [NOW + timedelta(minutes=5)]
    assert lockout.until(BEN, now=NOW)
    assert AlarmEvent.objects.get(kind="locked_out").message == (
        "Too many wrong codes: everybody is locked out for 5 min"
    )


def test_what_a_rule_calls_by_these_names_counts_for_nothing():
    for kind in ("code_refused", "locked_out"):
        for _ in range(20):
            events.record(kind, source="rule:1", details={"rule": "door"}, now=NOW)

    assert refuse() is None
    assert lockout.until(ANNA, now=NOW) is None


def test_every_wrong_code_and_the_lockout_are_events():
    refuse(times=5)

    kinds = list(AlarmEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["code_refused"] * 5 + ["locked_out"]
