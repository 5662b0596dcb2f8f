"""Cron expressions by Debian cron's rules, as CronSim implements them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Self

from asyncsched.errors import ScheduleError
from asyncsched.schedules.wall import Fold, Gap, WallClockSchedule, instants

ANY_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
FIELDS_WITH_SECONDS = 6


@dataclass(frozen=True, slots=True)
class Cron(WallClockSchedule):
    """A cron *expression* of five fields (six with leading seconds), read in *tz*, an IANA zone name.

    Without *tz* the scheduler's zone applies (Django's ``TIME_ZONE``; UTC where there is none).
    The meaning is Debian cron's, by the library CronSim: install the ``cron`` extra. An expression
    that never matches, such as 31 February, is a ScheduleError at once.

    When clocks change, Debian cron knows two kinds of expression:

    - At fixed times: five fields, and neither minute nor hour begins with ``*``. Here *gap* and
      *fold* apply. Times that clocks jump over run together at the first instant after the gap
      (``gap="run_after"``) or not at all (``"skip"``); times that come twice run at the ``"first"``
      of the two, the ``"second"``, or ``"both"``.
    - By the clock: all others. They run whenever the clock on the wall matches: not in a gap, and
      in both passages of a fold, whatever *gap* says. ``fold="second"`` is refused for them.
    """

    expression: str
    tz: str | None = None
    gap: Gap = field(default="run_after", kw_only=True)
    fold: Fold = field(default="first", kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.expression, str):
            raise ScheduleError(f"Cron({self.expression!r}): the expression must be text, such as '*/15 * * * *'")
        self._check_zone_and_rules()
        self.next_after(ANY_MOMENT)
        if self.fold == "second" and not self._is_at_fixed_times:
            raise ScheduleError(
                f"Cron({self.expression!r}, fold='second'): with seconds, or with a minute or hour that begins with "
                "'*', it runs by the clock, in both passages; fold is for expressions at fixed times"
            )

    @property
    def is_subminute(self) -> bool:
        return len(self.expression.split()) == FIELDS_WITH_SECONDS

    def in_zone(self, zone: str) -> Self:
        return self if self.tz else replace(self, tz=zone)

    def describe(self) -> str:
        words: str = self._simulation(ANY_MOMENT).explain()
        return self._in_words(f"{words[:1].lower()}{words[1:]}")

    @property
    def _is_at_fixed_times(self) -> bool:
        minute, hour = self.expression.split()[:2]
        return not (self.is_subminute or minute.startswith("*") or hour.startswith("*"))

    def _walls_after(self, wall: datetime) -> Iterator[datetime]:
        # Without a zone CronSim only matches. With one it applies Debian's rules itself, but loses
        # times beside shifts of half an hour, and in St. John's, where 00:01 became 23:01, stands still.
        yield from self._simulation(wall)

    def _instants(self, wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
        if self._is_at_fixed_times:
            return instants(wall, zone, gap=self.gap, fold=self.fold)
        return instants(wall, zone, gap="skip", fold="both")

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
