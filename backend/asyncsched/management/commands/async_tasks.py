"""``manage.py async_tasks …``: adapts the command line, nothing else."""

import os
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from asyncsched import __version__
from asyncsched.errors import AsyncschedError, StoreUnavailable, UnknownTask
from asyncsched.management import arguments
from asyncsched.management.database import why_it_failed
from asyncsched.management.parser import FAILED, USAGE, OneLineParser
from asyncsched.management.screen import open_screen


class Command(BaseCommand):
    """List the scheduled tasks, say what comes, what was and whether all is well; run, pause and resume them."""

    help = __doc__

    def get_version(self) -> str:
        return __version__

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = OneLineParser  # Django leaves no other way to choose one
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_arguments(parser)

    def check(self, *args: Any, **options: Any) -> None:
        # Not the databases, as Django 6.1 does by itself: some subcommands need none, the others say what is wrong.
        super().check(*args, **{"databases": [], **options})

    def execute(self, *args: Any, **options: Any) -> str | None:
        if os.environ.get("NO_COLOR") and not options["force_color"]:
            options["no_color"] = True  # Django does not look at it
        return super().execute(*args, **options)

    def handle(self, *args: Any, carry_out: arguments.Handler, **options: Any) -> None:
        colour = True if options["force_color"] else False if options["no_color"] else None
        screen = open_screen(self.stdout, self.stderr, self.style, colour=colour)
        try:
            code = carry_out(screen, colour=colour, **options)
            screen.flush()
        except UnknownTask as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except (AnyDatabaseError, StoreUnavailable) as error:
            raise CommandError(why_it_failed(error), returncode=FAILED) from error
        except AsyncschedError as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except KeyboardInterrupt:
            raise CommandError("interrupted", returncode=FAILED) from None
        except BrokenPipeError:
            _leave_quietly()
        if code:
            raise SystemExit(code)


def _leave_quietly() -> NoReturn:
    """End as a program does whose reader has gone, such as ``head``: what is still to be flushed goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(FAILED)
