"""Our schedules as crontabs of Celery's, in which every field has to fit. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from asyncsched.migrating.cron_fields import MONTH, WEEK, numbers, weekday_names
from asyncsched.migrating.found import NoCounterpart
from asyncsched.schedules import Cron, DailyAt

WITH_SECONDS = 6
_STEP_FROM_A_NUMBER = re.compile(r"(^|,)\d+/")  # CronSim's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Crontab:
    """The fields of a crontab, by Celery's names, in the order of a crontab's."""

    minute: str
    hour: str
    day_of_month: str = "*"
    month_of_year: str = "*"
    day_of_week: str = "*"


def crontabs(schedule: Cron | DailyAt) -> list[Crontab]:
    """Return the crontabs that together are *schedule*, and never meet. Raises NoCounterpart."""
    if isinstance(schedule, DailyAt):
        return [Crontab(minute=str(schedule.minute), hour=str(schedule.hour))]
    from cronsim import CronSim  # noqa: PLC0415 - an optional extra, which the schedule has found

    texts = schedule.expression.upper().split()
    if len(texts) == WITH_SECONDS:
        raise NoCounterpart("a crontab of Celery's has no seconds: give beat an interval, or leave it here")
    parsed: Any = CronSim(schedule.expression, datetime(2024, 1, 1, tzinfo=UTC))
    minute, hour, day, month, _ = texts
    return [
        Crontab(
            minute=_field(minute, parsed.minutes, range(60)),
            hour=_field(hour, parsed.hours, range(24)),
            day_of_month=_field(day if days == parsed.days else "", days, MONTH),
            month_of_year=_field(month, parsed.months, range(1, 13)),
            day_of_week=weekday_names(weekdays).lower(),
        )
        for days, weekdays in _days(parsed)
    ]


def _days(parsed: Any) -> Iterator[tuple[frozenset[int], frozenset[int]]]:
    """Yield pairs of days of the month and weekdays that have to fit both; no day is in two of them."""
    special = [one for one in chain(parsed.days, parsed.weekdays) if _is_last(one)]
    if special:
        raise NoCounterpart("Celery knows no last day of a month: send it on all that may be the last, and let it look")
    days = frozenset(parsed.days)
    plain = frozenset(weekday % 7 for weekday in parsed.weekdays if isinstance(weekday, int))
    free = days if parsed.day_and else frozenset(MONTH) - days
    pairs = [(free, plain)] if parsed.day_and else [(days, WEEK), (free, plain)]
    for number in range(1, 6):
        nth = frozenset(one[0] % 7 for one in parsed.weekdays if isinstance(one, tuple) and one[1] == number)
        pairs.append((free & frozenset(MONTH[7 * number - 7 : 7 * number]), nth - plain))
    yield from (pair for pair in pairs if all(pair))


def _is_last(one: Any) -> bool:
    """True for CronSim's ``L``, ``LW`` and ``5L``, which are numbers below 0, or have one."""
    return bool((one[1] if isinstance(one, tuple) else one) < 0)


def _field(text: str, values: Any, whole: range) -> str:
    return numbers("" if _STEP_FROM_A_NUMBER.search(text) else text, values, whole)
