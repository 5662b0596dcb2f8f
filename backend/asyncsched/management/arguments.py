"""What each ``async_tasks`` command takes."""

import math
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime

from django.utils import timezone

from asyncsched.management import history

FEW_COMING, MOST_COMING = 10, 10_000


def add_arguments(parser: ArgumentParser) -> None:
    """Add the commands, each with its options, to the parser of ``manage.py async_tasks``."""
    commands = parser.add_subparsers(
        dest="subcommand", required=True, metavar="{list,run,next,history,status,pause,resume}"
    )
    listing = commands.add_parser("list", help="every task, when it runs next and how it fared last")
    listing.add_argument("--json", action="store_true", help="for programs: a JSON array")
    _add_run(commands.add_parser("run", help="run tasks now, in the foreground"))
    coming = commands.add_parser("next", help="the coming occurrences of all tasks, in order")
    coming.add_argument("--count", type=_count, metavar="N", help=f"how many at most; {FEW_COMING} by default")
    coming.add_argument("--until", type=_moment, metavar="T", help="ISO 8601; all up to then")
    coming.add_argument("--json", action="store_true", help="for programs: a JSON array")
    history.add_arguments(commands.add_parser("history", help="what ran, newest first, and what did not and why"))
    status = commands.add_parser("status", help="whether all is well: processes, leader, tasks; exits with 1 if not")
    status.add_argument("--json", action="store_true", help="for programs: a JSON object")
    for word, effect in (("pause", "keep tasks from running on schedule"), ("resume", "let them run again")):
        commands.add_parser(word, help=effect).add_argument("names", nargs="+", metavar="NAME")


def _add_run(running: ArgumentParser) -> None:
    running.add_argument("names", nargs="*", metavar="NAME")
    running.add_argument("--all", action="store_true", help="run every task, one after the other")
    running.add_argument("--timeout", type=_positive, metavar="S", help="seconds, in place of the task's own")
    running.add_argument("--force", action="store_true", help="run it although it is running elsewhere, or not enabled")
    running.add_argument("--json", action="store_true", help="for programs: a JSON array of results")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_COMING:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MOST_COMING}")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-11-24T03:00 or 2026-11-24T03:00+01:00") from None
    return value if timezone.is_aware(value) else timezone.make_aware(value)
