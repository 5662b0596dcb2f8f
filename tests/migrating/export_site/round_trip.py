"""Our tasks, exported to Celery beat and imported again: for which times did they run, before and after?

Prints them by task, of the project itself and by way of beat_schedule and of rows. An entry is called
as its task is, with a number behind if it takes several.
"""

import io
import json
import re
import sys
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from types import ModuleType

import django
import time_machine
from django.core.management import call_command

django.setup()

from celery import Celery  # noqa: E402 - Django must be set up
from django_celery_beat.models import PeriodicTask  # noqa: E402

from asyncsched.engine.runs import RunStatus  # noqa: E402
from asyncsched.registry import Registry, Task, registry  # noqa: E402
from asyncsched.testing import VirtualScheduler  # noqa: E402

START, END = datetime(2027, 4, 7, 12, 30, tzinfo=UTC), datetime(2027, 5, 4, 12, 30, tzinfo=UTC)


def said(*arguments: str) -> str:
    out = io.StringIO()
    with time_machine.travel(START, tick=False), suppress(SystemExit):  # which says that something is left out
        call_command("async_tasks", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def module(name: str, code: str) -> ModuleType:
    sys.modules[name] = made = ModuleType(name)
    exec(compile(code, name, "exec", dont_inherit=True), vars(made))
    return made


def times() -> dict[str, list[str]]:
    found = defaultdict(set)
    with VirtualScheduler() as scheduler:
        scheduler.start(at=START)
        for run in scheduler.run(until=END):
            if run.status is RunStatus.SUCCEEDED:
                found[re.sub(r" \(\d\)$", "", run.task)].add(run.scheduled_for.isoformat())
    return {name: sorted(moments) for name, moments in found.items()}


def register_only(tasks: list[Task]) -> None:
    vars(registry).update(vars(Registry()))
    for task in tasks:
        registry.add(task)


def after_the_round_trip() -> dict[str, list[str]]:
    register_only([])
    module("tasks_again", said("import", "--from", "celery-beat", "--where", "shop_beat:app"))
    return times()


call_command("migrate", verbosity=0)
register_only([task for task in registry if not task.is_own])
result = {"before": times()}
texts = {form: said("export", "--to", "celery-beat", "--format", form) for form in ("settings", "rows")}
beat = module("shop_beat", texts["settings"])
beat.app = Celery("shop", broker="memory://")
beat.app.conf.update(timezone=beat.CELERY_TIMEZONE, beat_schedule=beat.CELERY_BEAT_SCHEDULE)
result["settings"] = after_the_round_trip()
beat.app.conf.beat_schedule = {}
module("shop_rows", texts["rows"]).create_rows()
result["rows"] = after_the_round_trip()
result["disabled"] = list(PeriodicTask.objects.filter(enabled=False).values_list("name", flat=True))
json.dump(result, sys.stdout)
