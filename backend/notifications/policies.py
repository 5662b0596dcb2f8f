"""How each channel sends: how often it tries, when it is quiet, what it takes for a repeat."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Self

from django.conf import settings
from django.db.models import Q

from asyncsched import DailyAt, Retry
from notifications.models import Channel

FACTOR = 2.5
"""Each delay is so many times as long as the one before."""
JITTER = 0.2
"""A delay is up to this much shorter or longer, so that retries do not come in a crowd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From *begin* to *end*, wall-clock times in the zone called *zone*; overnight if *end* is the earlier."""

    begin: time
    end: time
    zone: str

    def until(self, now: datetime) -> datetime | None:
        """Return when the quiet hours that *now* lies in end (aware, UTC); None if it lies in none.

        Where clocks jump over a time, it is the first instant after the jump; where it comes twice,
        the first of the two.
        """
        ends = self._daily(self.end).next_after(now)
        return ends if ends < self._daily(self.begin).next_after(now) else None

    def _daily(self, at: time) -> DailyAt:
        return DailyAt(at.hour, at.minute, at.second, tz=self.zone)

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How messages of one channel are sent. The defaults are those of a channel without a row."""

    enabled: bool = True
    retry: Retry = field(default=Retry(attempts=10, delay=10, factor=FACTOR, max_delay=3600))
    quiet: QuietHours | None = None
    collapse: timedelta = timedelta()
    """For how long after a message its repeats are held back; zero sends every one."""

    @classmethod
    def of(cls, channel: Channel) -> Self:
        """Return what *channel* says."""
        quiet = None
        if channel.quiet_from is not None and channel.quiet_until is not None:
            zone = channel.time_zone or settings.TIME_ZONE
            quiet = QuietHours(begin=channel.quiet_from, end=channel.quiet_until, zone=zone)
        return cls(
            enabled=channel.enabled,
            retry=Retry(
                attempts=channel.attempts,
                delay=channel.first_delay_seconds,
                factor=FACTOR,
                max_delay=channel.longest_delay_seconds,
            ),
            quiet=quiet,
            collapse=timedelta(seconds=channel.collapse_seconds),
        )

    def __str__(self) -> str:
        delays = f"{self.retry.delay:g} to {self.retry.max_delay:g} s"
        words = [f"{self.retry.attempts} attempts, {delays} apart"]
        words += [f"repeats as one within {self.collapse.total_seconds():g} s"] if self.collapse else []
        words += [f"quiet {self.quiet}"] if self.quiet else []
        return ", ".join(words if self.enabled else ["switched off", *words])

    def is_open(self, now: datetime) -> bool:
        """Return whether messages that are not urgent may go at *now*."""
        return self.enabled and (self.quiet is None or self.quiet.until(now) is None)

    def retry_delay(self, attempt: int) -> timedelta:
        """Return how long to wait after the failed *attempt* (1 for the first), with jitter."""
        return self.retry.delay_after(attempt) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


DEFAULT = Policy()


@dataclass(frozen=True, slots=True)
class Policies:
    """The policy of every channel that has one."""

    by_channel: Mapping[str, Policy]

    def of(self, channel: str) -> Policy:
        """Return the policy of *channel*, the default if it has none."""
        return self.by_channel.get(channel, DEFAULT)

    def open_at(self, now: datetime) -> Q:
        """Return the condition on notifications that are not held back by their channel at *now*."""
        shut = [name for name, policy in self.by_channel.items() if not policy.is_open(now)]
        return Q(urgent=True) | ~Q(channel__in=shut)

    def exhausted(self) -> Q:
        """Return the condition on notifications that were tried as often as their channel allows."""
        condition = Q(attempts__gte=DEFAULT.retry.attempts) & ~Q(channel__in=list(self.by_channel))
        for name, policy in self.by_channel.items():
            condition |= Q(channel=name, attempts__gte=policy.retry.attempts)
        return condition


def load() -> Policies:
    """Return the policies as they are now: a change in the admin counts from the next message on."""
    return Policies({channel.name: Policy.of(channel) for channel in Channel.objects.all()})
