"""What ``async_tasks`` can do, and what each of that takes."""

from argparse import SUPPRESS
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from asyncsched.management.parser import OneLineParser
from asyncsched.management.subcommands import (
    asking,
    coming,
    completing,
    exporting,
    health,
    importing,
    listing,
    one_run,
    past,
    pausing,
    running,
)

Handler = Callable[..., int | None]
"""Carries out a subcommand: takes the screen and the options, returns the exit code, None for 0."""

_SUBCOMMANDS: tuple[tuple[str, str, Callable[[Any], None] | None, Handler], ...] = (
    ("list", "every task, when it runs next and how it fared last", listing.add_arguments, listing.handle),
    ("run", "run tasks now, in the foreground", running.add_arguments, running.handle),
    ("ask", "ask the processes that run the scheduler for a run now", asking.add_arguments, asking.handle),
    ("next", "the coming occurrences of all tasks, in order", coming.add_arguments, coming.handle),
    ("history", "what ran, newest first, and what did not and why", past.add_arguments, past.handle),
    ("show", "one run whole: its error, traceback and log lines", one_run.add_arguments, one_run.handle),
    ("status", "whether all is well; exits with 1 if not", health.add_arguments, health.handle),
    ("pause", "keep tasks from running on schedule", pausing.add_arguments, pausing.handle_pause),
    ("resume", "let them run again", pausing.add_arguments, pausing.handle_resume),
    ("names", "the names of the tasks, one a line", None, listing.handle_names),
    ("import", "the schedules of another scheduler, as code", importing.add_arguments, importing.handle),
    ("export", "the tasks as the schedule of another scheduler", exporting.add_arguments, exporting.handle),
    ("completion", "a script for your shell that completes all this", completing.add_arguments, completing.handle),
)


def add_arguments(parser: CommandParser) -> None:
    """Add the subcommands to the parser of ``manage.py async_tasks``; ``carry_out`` is what the one named does."""
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND", parser_class=OneLineParser)
    for name, effect, add, carry_out in _SUBCOMMANDS:
        subparser = commands.add_parser(name, help=effect, description=f"{effect[0].upper()}{effect[1:]}.")
        _add_what_django_takes(subparser)
        if add is not None:
            add(subparser)
        subparser.set_defaults(carry_out=carry_out, subparsers=commands.choices)


def _add_what_django_takes(subparser: CommandParser) -> None:
    """Let the options of all commands come after the subcommand, too; unless they do, they leave no trace."""
    for flag in ("--no-color", "--force-color", "--traceback", "--skip-checks"):
        subparser.add_argument(flag, action="store_true", default=SUPPRESS, help=SUPPRESS)
    for option in ("--settings", "--pythonpath"):
        subparser.add_argument(option, default=SUPPRESS, help=SUPPRESS)
