"""How long rows are kept."""

from datetime import UTC, datetime

import pytest
from constance import config

from retention.limits import cutoff

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def test_rows_are_kept_for_as_many_days_as_the_setting_says():
    assert cutoff("RETAIN_ALARM_EVENTS_DAYS", now=NOW) == datetime(2026, 8, 25, 3, 0, tzinfo=UTC)


def test_a_change_in_the_admin_counts_at_once():
    config.RETAIN_ALARM_EVENTS_DAYS = 1

    assert cutoff("RETAIN_ALARM_EVENTS_DAYS", now=NOW) == datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_zero_days_keep_everything():
    config.RETAIN_ALARM_EVENTS_DAYS = 0

    assert cutoff("RETAIN_ALARM_EVENTS_DAYS", now=NOW) is None


def test_the_longest_time_the_admin_takes_is_a_date_that_exists():
    config.RETAIN_ALARM_EVENTS_DAYS = 36_500

    assert cutoff("RETAIN_ALARM_EVENTS_DAYS", now=NOW).year == 1926


def test_a_setting_that_does_not_exist_is_an_error():
    with pytest.raises(AttributeError):
        cutoff("RETAIN_NOTHING_DAYS")
