"""Reading the command line: what is wrong with it is said in one line, and the exit code is 2."""

import math
import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

FAILED, USAGE, REFUSED = 1, 2, 3
"""The exit codes of ``async_tasks`` besides 0."""

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|min|h|d|w)")
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


class OneLineParser(CommandParser):
    """A parser that does not print the usage above what it has to say."""

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line:
            self.exit(USAGE, f"CommandError: {message} ({self.prog} --help says more)\n")
        raise CommandError(message, returncode=USAGE)


def positive(text: str) -> float:
    """Return a number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def whole(text: str, *, most: int) -> int:
    """Return a whole number from 1 to *most*."""
    if not (re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= most):
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {most}")
    return int(text)


def moment(text: str) -> datetime:
    """Return a time in ISO 8601, aware: in the project's zone if it names none."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-11-24T03:00 or 2026-11-24T03:00+01:00") from None
    return value if timezone.is_aware(value) else timezone.make_aware(value)


def since(text: str, now: datetime) -> datetime:
    """Return the moment, in UTC, that *text* means: so long before *now*, or a time in ISO 8601."""
    try:
        if span := _SPAN.fullmatch(text):
            return now - timedelta(seconds=float(span[1]) * _UNITS[span[2]])
        return moment(text).astimezone(UTC)
    except (ArgumentTypeError, OverflowError):
        raise ArgumentTypeError(
            f"{text!r}: say how long ago, such as 90s, 30min, 12h, 1d or 2w, or a time such as 2026-11-24T03:00"
        ) from None
