"""``async_tasks export``: our tasks as the schedule of another scheduler."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from asyncsched import conf
from asyncsched.management.parser import FAILED, USAGE
from asyncsched.management.porting import exit_code, show
from asyncsched.management.screen import Screen
from asyncsched.migrating.celery_module import rows_module, sayable_in_settings, settings_module
from asyncsched.migrating.found import LeftOut, NotThere
from asyncsched.migrating.to_celery_beat import Sent, exported
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
    if not results:
        screen.remark("No task is registered here.")
        return FAILED
    sent = [one for one in results if isinstance(one, Sent)]
    left_out = [one for one in results if isinstance(one, LeftOut)]
    if format == "rows":
        text = rows_module(sent, left_out, now)
    else:
        sent, more = sayable_in_settings(sent)
        left_out += more
        text = settings_module(sent, left_out)
    show(screen, text, sent, left_out, scheduler=target)
    return exit_code(sent, left_out)
