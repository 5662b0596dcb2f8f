"""``async_tasks status``: whether all is well."""

from argparse import ArgumentParser
from typing import Any

from asyncsched import conf
from asyncsched.management import status_text
from asyncsched.management.parser import FAILED
from asyncsched.management.screen import Screen
from asyncsched.management.status import Status, status, status_with_alerts
from asyncsched.management.watching import add_watch, watch
from asyncsched.server import compose


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``status`` takes."""
    parser.add_argument("--json", action="store_true", help="for programs: a JSON object")
    parser.add_argument("--alert", action="store_true", help="raise an alert for tasks that have not succeeded in time")
    add_watch(parser)


def handle(screen: Screen, *, json: bool, alert: bool, watch_every: float | None, **options: Any) -> int:
    """Carry out ``status``; return the exit code."""
    look = status_with_alerts if alert else status

    def found() -> Status:
        settings = conf.load()
        return look(compose.tasks(settings), settings)

    if watch_every is not None:
        watch(screen, lambda anew: status_text.show(anew, found()), every=watch_every, json=json)
        return 0
    now = found()
    if json:
        screen.json(now.as_json())
    else:
        status_text.show(screen, now)
    return 0 if now.is_healthy else FAILED
