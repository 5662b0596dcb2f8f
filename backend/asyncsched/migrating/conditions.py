"""Conditions that a schedule cannot say: what has to be true of an occurrence, asked before each run. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncsched.migrating.code import STEP, WIDTH
from asyncsched.migrating.cron_fields import MONTH, WEEK, weekday_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """An expression for ``moment``, the occurrence in its zone, and the same in words."""

    expression: str
    words: str
    imports: tuple[str, ...] = ()


def only_on(weekdays: frozenset[int]) -> tuple[Condition, ...]:
    """Return the condition that the weekday is one of these (Sunday is 0); none for all seven."""
    if weekdays == WEEK:
        return ()
    wanted = ", ".join(str(weekday or 7) for weekday in sorted(weekdays, key=lambda weekday: weekday or 7))
    return (Condition(expression=f"moment.isoweekday() in {{{wanted}}}", words=f"only on {weekday_names(weekdays)}"),)


def only_on_days(days: frozenset[int]) -> tuple[Condition, ...]:
    """Return the condition that the day of the month is one of these; none for all of them."""
    if days == frozenset(MONTH):
        return ()
    wanted = ", ".join(map(str, sorted(days)))
    return (Condition(expression=f"moment.day in {{{wanted}}}", words=f"only on day {wanted} of the month"),)


def begins(moment: datetime) -> Condition:
    """Return the condition that it is *moment* (aware) or later."""
    return _compared(">=", moment, "not before")


def ends(moment: datetime, *, included: bool) -> Condition:
    """Return the condition that it is before *moment* (aware), or also then."""
    return _compared("<=" if included else "<", moment, "until" if included else "before")


def function(name: str, conditions: Sequence[Condition], zone: str) -> str:
    """Return the function *name* that is true if all *conditions* are, of an occurrence in *zone*."""
    local = "" if zone == "UTC" else f'.astimezone(ZoneInfo("{zone}"))'
    expressions = [condition.expression for condition in conditions]
    line = f"{STEP}return {' and '.join(expressions)}"
    if len(line) > WIDTH:
        each = "".join(f"{STEP * 3}{expression},\n" for expression in expressions)
        line = f"{STEP}return all(\n{STEP * 2}(\n{each}{STEP * 2})\n{STEP})"  # which formatters leave as it is
    return f"def {name}() -> bool:\n{STEP}moment = current_run().scheduled_for{local}\n{line}\n"


def imports(conditions: Sequence[Condition], zone: str) -> list[str]:
    """Return the import statements that `function` needs; none without *conditions*."""
    if not conditions:
        return []
    needed = ["from asyncsched import current_run", *(one for condition in conditions for one in condition.imports)]
    return needed if zone == "UTC" else [*needed, "from zoneinfo import ZoneInfo"]


def _compared(sign: str, moment: datetime, words: str) -> Condition:
    utc = moment.astimezone(UTC)
    numbers = ", ".join(map(str, utc.timetuple()[: 6 if utc.second else 5]))
    return Condition(
        expression=f"moment {sign} datetime({numbers}, tzinfo=UTC)",
        words=f"{words} {utc:%Y-%m-%d %H:%M} UTC",
        imports=("from datetime import UTC", "from datetime import datetime"),
    )
