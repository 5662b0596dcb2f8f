"""A fixed rate on a grid aligned to the Unix epoch, as Temporal's intervals are."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from asyncsched.errors import ScheduleError
from asyncsched.schedules.base import Schedule, to_utc
from asyncsched.schedules.words import duration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SHORTEST = 0.05
LONGEST = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Every(Schedule):
    """Every *seconds*, at ``epoch + n * seconds + offset``.

    Every replica and every restart names the same instants, and nothing accumulates: the n-th
    occurrence is computed from n, in whole microseconds. *jitter* spreads the starts by up to that
    many seconds to either side; it is a stable function of task and occurrence, and must stay
    below half the interval so that it never reorders.
    """

    seconds: float
    jitter: float = 0.0
    offset: float = 0.0
    _period: Fraction = field(init=False, repr=False, compare=False)  # in microseconds, exact
    _origin: int = field(init=False, repr=False, compare=False)  # offset in microseconds

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
        # Through str(): 0.1 means one tenth, not the binary fraction nearest to it.
        object.__setattr__(self, "_period", Fraction(str(self.seconds)) * 1_000_000)
        object.__setattr__(self, "_origin", round(self.offset * 1_000_000))

    @property
    def is_subminute(self) -> bool:
        return self.seconds < 60

    def next_after(self, moment: datetime) -> datetime:
        return self._at(self._number_after(moment))

    def latest_until(self, moment: datetime) -> datetime:
        return self._at(self._number_after(moment) - 1)

    def count_between(self, after: datetime, until: datetime, limit: int = 1000) -> int:
        return max(0, min(limit, self._number_after(until) - self._number_after(after)))

    def describe(self) -> str:
        words = f"every {duration(self.seconds)}"
        return f"{words} ± {self.jitter:g} s" if self.jitter else words

    def _number_after(self, moment: datetime) -> int:
        """Return the smallest n whose instant, in whole microseconds, lies after *moment*."""
        elapsed = (to_utc(moment) - EPOCH) // MICROSECOND - self._origin + 1
        period = self._period
        return -(-elapsed * period.denominator // period.numerator)

    def _at(self, number: int) -> datetime:
        period = self._period
        microseconds = number * period.numerator // period.denominator + self._origin
        try:
            return EPOCH + timedelta(microseconds=microseconds)
        except OverflowError as error:
            raise ScheduleError(f"{self.describe()}: no further occurrence before the year 9999") from error
