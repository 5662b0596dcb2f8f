"""What django-background-tasks does in a month: what ``process_tasks`` does each time it looks.

Takes months as JSON on stdin. Between two looks at which nothing is due no time is spent.
"""

import json
import logging
import sys
from datetime import datetime, timedelta

import django
import time_machine
from django.core.management import call_command

django.setup()

from background_task.models import Task  # noqa: E402 - Django must be set up
from background_task.tasks import autodiscover, tasks  # noqa: E402
from django.db.models import Min  # noqa: E402
from shop.tasks import make_rows  # noqa: E402
from shop_log import seen  # noqa: E402

LOOKS_EVERY = timedelta(seconds=5)
logging.disable()
call_command("migrate", verbosity=0)
autodiscover()
with time_machine.travel(0, tick=False) as clock:
    for month in json.load(sys.stdin):
        Task.objects.all().delete()
        start, end = map(datetime.fromisoformat, month["span"])
        clock.move_to(start, tick=False)
        make_rows()
        known = Task.objects.filter(task_name__in=tasks._tasks)
        while (due := known.aggregate(first=Min("run_at"))["first"]) <= end:
            for down, up in month["outages"]:
                due = max(due, datetime.fromisoformat(up)) if due >= datetime.fromisoformat(down) else due
            clock.move_to(start + -((start - due) // LOOKS_EVERY) * LOOKS_EVERY, tick=False)
            while tasks.run_next_task():
                continue
sys.stdout.write(json.dumps(seen))
