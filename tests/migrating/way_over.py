"""The way over, in a project's own process: import its definitions at a given time, then run what was written.

Takes months as JSON on stdin, and as arguments the scheduler to import from, and what is to be called
before that, if anything. Prints what the command said, what it wrote, and when the project's functions
ran under our scheduler.
"""

import io
import json
import pkgutil
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import django
import time_machine
from django.core.management import call_command

django.setup()

from shop_log import seen  # noqa: E402 - Django must be set up

from asyncsched.registry import Registry, registry  # noqa: E402
from asyncsched.testing import VirtualScheduler  # noqa: E402


def imported(*arguments: str) -> tuple[str, str]:
    """Return what ``async_tasks import`` writes to stdout and to stderr."""
    out, err = io.StringIO(), io.StringIO()
    with suppress(SystemExit):  # which says that something is left out
        call_command("async_tasks", "import", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def run(month: dict[str, Any]) -> None:
    """Let the registered tasks run for *month*, with its outages."""
    start, end = map(datetime.fromisoformat, month["span"])
    with VirtualScheduler() as scheduler:
        scheduler.start(at=start)
        for down, up in month["outages"]:
            scheduler.run(until=datetime.fromisoformat(down) - timedelta(seconds=1))
            scheduler.stop()
            scheduler.run(until=datetime.fromisoformat(up))
            scheduler.start()
        scheduler.run(until=end)


def main() -> None:
    months = json.load(sys.stdin)
    with time_machine.travel(datetime.fromisoformat(months[0]["span"][0]), tick=False):
        call_command("migrate", verbosity=0)
        for path in sys.argv[2:]:
            pkgutil.resolve_name(path)()
        code, said = imported("--from", sys.argv[1])
        told = json.loads(imported("--from", sys.argv[1], "--json")[0])
    vars(registry).update(vars(Registry()))
    exec(compile(code, "tasks.py", "exec", dont_inherit=True), vars(ModuleType("tasks")))
    for month in months:
        run(month)
    sys.stdout.write(json.dumps({"code": code, "said": said, "told": told, "runs": seen}))


if __name__ == "__main__":
    main()
