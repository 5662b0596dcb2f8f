"""``async_tasks pause`` and ``resume``."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from asyncsched import conf
from asyncsched.management.names import require_known
from asyncsched.management.screen import Screen
from asyncsched.server import compose
from asyncsched.storage.requests import set_paused


def add_arguments(parser: ArgumentParser) -> None:
    """Add what both take."""
    parser.add_argument("names", nargs="+", metavar="NAME")


def _handle(screen: Screen, *, names: list[str], value: bool, said: tuple[str, str], **options: Any) -> None:
    require_known(names, compose.tasks(conf.load()))
    for name in names:
        done, needless = said
        screen.say(f"{name}: {done if set_paused(name, value=value) else needless}")


handle_pause = partial(_handle, value=True, said=("paused", "was already paused"))
handle_resume = partial(_handle, value=False, said=("resumed", "was not paused"))
