"""The fields of APScheduler's cron trigger as ours. There 0 is Monday, and all fields have to fit."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from asyncsched.migrating.conditions import Condition, only_on
from asyncsched.migrating.cron_fields import MONTH, NAMES, Fields, Said, numbers, said

WHOLE = {
    "year": range(1970, 10_000),
    "month": range(1, 13),
    "day": MONTH,
    "week": range(1, 54),
    "day_of_week": range(7),
    "hour": range(24),
    "minute": range(60),
    "second": range(60),
}
RARE = {"year": "moment.year", "week": "moment.isocalendar().week"}
LAST = 5  # among APScheduler's names of the positions of a weekday in a month


def cron(trigger: Any, zone: str) -> tuple[Said, tuple[Condition, ...]]:
    """Return the schedule of a `CronTrigger`, and what has to be asked besides. Raises ScheduleError."""
    fields = {field.name: field for field in trigger.fields}
    text = {name: numbers(str(field), _values(field), WHOLE[name]) for name, field in fields.items()}
    result = said(
        Fields(
            minute=text["minute"],
            hour=text["hour"],
            month=text["month"],
            second=text["second"],
            weekdays=frozenset((weekday + 1) % 7 for weekday in _values(fields["day_of_week"])),
            **_day(fields["day"], text["day"]),
        ),
        zone,
    )
    return result, (*only_on(result.weekdays), *_rare(fields))


def _day(field: Any, text: str) -> dict[str, Any]:
    """Return what the field of the day becomes: numbers, the last day, and weekdays by their position."""
    days = _values(field)
    if text == "*":
        return {}
    nth = tuple(_position(part) for part in field.expressions if hasattr(part, "option_num"))
    is_last = any(type(part).__name__ == "LastDayOfMonthExpression" for part in field.expressions)
    parts = [numbers("" if nth else text, days, MONTH)] if days else []
    return {"day": ",".join([*parts, *(["L"] if is_last else [])]), "days": frozenset(days), "nth_weekdays": nth}


def _position(part: Any) -> str:
    """Return ``FRI#2`` for the second Friday, ``5L`` for the last."""
    weekday = (part.weekday + 1) % 7
    return f"{weekday}L" if part.option_num == LAST else f"{NAMES[weekday]}#{part.option_num + 1}"


def _rare(fields: dict[str, Any]) -> Iterator[Condition]:
    """Yield the conditions on what no schedule here can say: the year, and the week."""
    for name, expression in RARE.items():
        if (text := str(fields[name])) != "*":
            wanted = _several(sorted(_values(fields[name])))
            yield Condition(expression=f"{expression} in {wanted}", words=f"only in {name} {text}")


def _several(values: list[int]) -> str:
    """Return *values* as a range if they are one, else as a set."""
    steps = {after - before for before, after in pairwise(values)}
    if len(steps) == 1 and len(values) > 2:
        return str(range(values[0], values[-1] + 1, steps.pop()))
    return f"{{{', '.join(map(str, values))}}}"


def _values(field: Any) -> set[int]:
    """Return the plain numbers that *field* stands for."""
    whole, values = WHOLE[field.name], set()
    for part in field.expressions:
        if hasattr(part, "first"):
            last = whole[-1] if part.last is None else part.last
            values |= set(range(part.first, last + 1)[:: part.step or 1])
        elif type(part).__name__ == "AllExpression":
            values |= set(whole[:: part.step or 1])
    return values
