"""``async_tasks export``: our tasks as the schedule of another scheduler."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from asyncsched import conf
from asyncsched.management.parser import FAILED, USAGE
from asyncsched.management.screen import Screen
from asyncsched.management.tables import terminal_width
from asyncsched.migrating.celery_module import rows_module, sayable_in_settings, settings_module
from asyncsched.migrating.contrasts import contrasted
from asyncsched.migrating.found import LeftOut, NotThere
from asyncsched.migrating.to_celery_beat import Sent, exported
from asyncsched.schedules.words import counted
from asyncsched.server import compose

TARGETS = ("celery-beat",)
FORMATS = ("settings", "rows")


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``export`` takes."""
    parser.add_argument("--to", dest="target", required=True, choices=TARGETS, help="who is to run the tasks")
    parser.add_argument(
        "--format", choices=FORMATS, default=FORMATS[0], help="beat_schedule for the settings, or rows of a table"
    )


def handle(screen: Screen, *, target: str, format: str, **options: Any) -> int | None:  # noqa: A002 - as on the line
    """Carry out ``export``: the code goes to stdout, what is to be said about it to stderr."""
    now = timezone.now()
    try:
        results = exported(compose.tasks(conf.load()), now)
    except NotThere as error:
        raise CommandError(str(error), returncode=USAGE) from error
    sent = [one for one in results if isinstance(one, Sent)]
    left_out = [one for one in results if isinstance(one, LeftOut)]
    if format == "rows":
        text = rows_module(sent, left_out, now)
    else:
        sent, more = sayable_in_settings(sent)
        left_out += more
        text = settings_module(sent, left_out)
    screen.out.write(text, ending="")
    if table := contrasted(sent, scheduler=target, width=terminal_width()):
        screen.remark(f"\nWhat means something else:\n\n{table}\n")
    screen.remark(f"{counted(len(sent), 'task')} to be reviewed, {len(left_out)} left out.")
    return FAILED if left_out or not sent else None
