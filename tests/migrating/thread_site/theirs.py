"""What the threads do in a month, one after the other: each waits for nothing but the time.

Takes months as JSON on stdin.
"""

import json
import random
import sys
from datetime import datetime, timedelta

import django
import time_machine

django.setup()

from django.utils import timezone  # noqa: E402 - Django must be set up
from scheduler import get_tasks  # noqa: E402
from scheduler.runner import loop  # noqa: E402
from shop_log import seen  # noqa: E402


class End:
    """An event that is set at a moment; to wait for it takes no time."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def wait(self, seconds: float) -> bool:
        clock.shift(timedelta(seconds=seconds))
        return timezone.now() > self.moment


random.seed(8)
with time_machine.travel(0, tick=False) as clock:
    for month in json.load(sys.stdin):
        start, end = map(datetime.fromisoformat, month["span"])
        ((down, up),) = [map(datetime.fromisoformat, outage) for outage in month["outages"]]
        for task in get_tasks().values():
            for begin, until in ((start, down), (up, end)) if task.enabled else ():
                clock.move_to(begin, tick=False)
                loop(task, End(until))
sys.stdout.write(json.dumps(seen))
