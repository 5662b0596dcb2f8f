"""``async_tasks import``: the schedules of another scheduler, as the code of ours."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError

from asyncsched.management.parser import USAGE
from asyncsched.management.porting import exit_code, show
from asyncsched.management.screen import Screen
from asyncsched.migrating.code import text_of
from asyncsched.migrating.contrasts import shared
from asyncsched.migrating.found import Found, LeftOut, NotThere
from asyncsched.migrating.naming import named
from asyncsched.migrating.sources import SOURCES
from asyncsched.migrating.writing import written


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``import`` takes."""
    parser.add_argument(
        "--from", dest="scheduler", required=True, choices=list(SOURCES), help="whose definitions are to be read"
    )
    parser.add_argument(
        "--where", nargs="+", default=[], metavar="PATH", help="dotted paths of what to read, if it is not in its place"
    )
    parser.add_argument("--executor", help="which of the executors the tasks are to run on; in this process by default")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON object")


def handle(
    screen: Screen, *, scheduler: str, where: Sequence[str], executor: str | None, json: bool, **options: Any
) -> int | None:
    """Carry out ``import``: the code goes to stdout, what is to be said about it to stderr."""
    try:
        definitions = named(SOURCES[scheduler].read(where))
    except NotThere as error:
        raise CommandError(str(error), returncode=USAGE) from error
    found = [_on(executor, one) for one in definitions if isinstance(one, Found)]
    left_out = [one for one in definitions if isinstance(one, LeftOut)]
    if json:
        screen.json(_as_json(found, left_out, scheduler))
    elif definitions:
        show(screen, written(found, left_out, scheduler=scheduler), found, left_out, scheduler=scheduler)
    else:
        screen.remark(f"{scheduler} has no definitions here.")
    return exit_code(found, left_out)


def _on(executor: str | None, one: Found) -> Found:
    return one if executor is None else replace(one, options={**one.options, "executor": executor})


def _as_json(found: Sequence[Found], left_out: Sequence[LeftOut], scheduler: str) -> dict[str, Any]:
    return {
        "from": scheduler,
        "tasks": [_task_as_json(one) for one in found],
        "left_out": [{"name": one.name, "source": one.source, "problem": one.problem} for one in left_out],
        "differences": [
            {"topic": difference.topic, "there": difference.there, "here": difference.here, "tasks": list(names)}
            for difference, names in shared(found)
        ],
    }


def _task_as_json(one: Found) -> dict[str, Any]:
    return {
        "name": one.name,
        "source": one.source,
        "call": one.call.text,
        "schedule": text_of(one.schedule),
        "conditions": [condition.words for condition in one.conditions],
        "options": {option: text_of(value) for option, value in one.options.items()},
        "description": one.description,
        "remarks": list(one.remarks),
    }
