"""A fixed rate on a grid aligned to the Unix epoch, as Temporal's intervals are."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import overload

from asyncsched.errors import ScheduleError
from asyncsched.schedules.base import MICROSECOND, Schedule, to_utc
from asyncsched.schedules.words import duration, number

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHORTEST = 0.05
LONGEST = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Every(Schedule):
    """Every *seconds*, at ``epoch + n * seconds + offset``.

    Every replica and every restart names the same instants, and nothing accumulates: the n-th
    occurrence is computed from n, exactly, and then cut to whole microseconds. *jitter* spreads the
    starts by up to that many seconds to either side; it is a stable function of task and
    occurrence, and must stay below half the interval so that it never reorders.
    """

    is_interval = True

    seconds: float
    jitter: float = 0.0
    offset: float = 0.0
    # Interval and offset as whole numbers of a unit, of which `_scale` make a microsecond.
    _scale: int = field(init=False, repr=False, compare=False)
    _period: int = field(init=False, repr=False, compare=False)
    _origin: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("seconds", "jitter", "offset"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ScheduleError(f"Every({name}={value!r}): {name} must be a finite number of seconds")
        if not SHORTEST <= self.seconds <= LONGEST:
            raise ScheduleError(
                f"Every(seconds={self.seconds!r}): must be between {SHORTEST} s and {LONGEST} s (a year)"
            )
        if not 0 <= self.jitter < self.seconds / 2:
            raise ScheduleError(
                f"Every(seconds={self.seconds!r}, jitter={self.jitter!r}): jitter must be at least 0 and "
                f"below half the interval ({self.seconds / 2:g} s), or runs could change places"
            )
        if not 0 <= self.offset < self.seconds:
            raise ScheduleError(
                f"Every(seconds={self.seconds!r}, offset={self.offset!r}): offset must be at least 0 and "
                "below the interval"
            )
        period, origin = _microseconds(self.seconds), _microseconds(self.offset)
        object.__setattr__(self, "_scale", period.denominator)
        object.__setattr__(self, "_period", period.numerator)
        # Less than one unit is cut off: no instant, which is whole microseconds, is another for it.
        object.__setattr__(self, "_origin", int(origin * period.denominator))

    @property
    def is_subminute(self) -> bool:
        return self.seconds < 60

    def next_after(self, moment: datetime) -> datetime:
        # _at(_number_after(moment)), at half the price: every run asks for it.
        earliest = (to_utc(moment) - EPOCH) // MICROSECOND + 1
        microseconds = (
            self._origin - (self._origin - earliest * self._scale) // self._period * self._period
        ) // self._scale
        try:
            return EPOCH + microseconds * MICROSECOND
        except OverflowError:
            return self._at(self._number_after(moment))  # which says so

    def latest_until(self, moment: datetime) -> datetime:
        return self._at(self._number_after(moment) - 1)

    def count_between(self, after: datetime, until: datetime, limit: int | None = None) -> int:
        number = max(0, self._number_after(until) - self._number_after(after))
        return number if limit is None else min(limit, number)

    def all_between(self, after: datetime, until: datetime) -> Sequence[datetime]:
        """Return the occurrences in ``(after, until]``; each is computed when it is looked at."""
        return _Instants(self._at, range(self._number_after(after), self._number_after(until)))

    def describe(self) -> str:
        spread = f" ± {number(self.jitter)} s" if self.jitter else ""
        shifted = f", shifted by {duration(self.offset)}" if self.offset else ""
        return f"every {duration(self.seconds)}{spread}{shifted}"

    def _number_after(self, moment: datetime) -> int:
        """Return the smallest n whose instant, cut to whole microseconds, lies after *moment*."""
        earliest = (to_utc(moment) - EPOCH) // MICROSECOND + 1
        return -((self._origin - earliest * self._scale) // self._period)

    def _at(self, number: int) -> datetime:
        microseconds = (number * self._period + self._origin) // self._scale
        try:
            return EPOCH + timedelta(microseconds=microseconds)
        except OverflowError as error:
            raise ScheduleError(f"{self.describe()}: no further occurrence before the year 9999 ends") from error


def _microseconds(seconds: float) -> int | Fraction:
    """Return exactly what is meant: 0.1 means one tenth, not the binary fraction nearest to it."""
    whole = round(seconds * 1_000_000)
    return whole if whole / 1_000_000 == seconds else Fraction(str(seconds)) * 1_000_000


class _Instants(Sequence[datetime]):
    """The instants of the occurrences that *numbers* count."""

    __slots__ = ("_at", "_numbers")

    def __init__(self, at: Callable[[int], datetime], numbers: range) -> None:
        self._at = at
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> datetime: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[datetime]: ...
    def __getitem__(self, index: int | slice) -> datetime | Sequence[datetime]:
        if isinstance(index, slice):
            return _Instants(self._at, self._numbers[index])
        return self._at(self._numbers[index])
