"""Cron expressions by Debian cron's rules, as CronSim implements them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from asyncsched.errors import ScheduleError
from asyncsched.schedules.base import Schedule, to_utc, zone_named

ANY_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
FIELDS_WITH_SECONDS = 6


@dataclass(frozen=True, slots=True)
class Cron(Schedule):
    """A cron *expression* of five fields (six with leading seconds), read in *tz*, an IANA zone name.

    Without *tz* the scheduler's zone applies (Django's ``TIME_ZONE``; UTC where there is none).
    The meaning, DST included, is Debian cron's, by the library CronSim: install the ``cron``
    extra. An expression that never matches, such as 31 February, is a ScheduleError at once.
    """

    expression: str
    tz: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.expression, str):
            raise ScheduleError(f"Cron({self.expression!r}): the expression must be text, such as '*/15 * * * *'")
        if self.tz is not None:
            zone_named(self.tz)
        self.next_after(ANY_MOMENT)

    @property
    def is_subminute(self) -> bool:
        return len(self.expression.split()) == FIELDS_WITH_SECONDS

    def in_zone(self, zone: str) -> Self:
        return self if self.tz else replace(self, tz=zone)

    def next_after(self, moment: datetime) -> datetime:
        moment = to_utc(moment)
        simulation = self._simulation(moment.astimezone(zone_named(self.tz or "UTC")))
        try:
            # Started in the second hour of a fold, CronSim first goes through the hour once more
            # and names it by its first passage, which has gone by.
            found: datetime = next(simulation).astimezone(UTC)
            while found <= moment:
                found = next(simulation).astimezone(UTC)
        except (StopIteration, OverflowError) as error:
            raise ScheduleError(f"Cron({self.expression!r}): never matches; no occurrence within 50 years") from error
        return found

    def describe(self) -> str:
        words: str = self._simulation(ANY_MOMENT).explain()
        return f"{words[:1].lower()}{words[1:]} {self.tz or ''}".rstrip()

    def _simulation(self, start: datetime) -> Any:
        try:
            from cronsim import CronSim, CronSimError  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise ScheduleError(
                f"Cron({self.expression!r}) needs the library CronSim: pip install 'asyncsched[cron]'"
            ) from error
        try:
            return CronSim(self.expression, start)
        except CronSimError as error:
            raise ScheduleError(
                f"Cron({self.expression!r}): {error}; expected five fields: minute hour day month weekday"
            ) from error
