"""What django-cron does in a month: its own ``runcrons``, called as a crontab does.

Takes months as JSON on stdin, and how many minutes lie between two calls as its argument.
"""

import json
import sys
from datetime import datetime, timedelta

import django
import time_machine
from django.core.management import call_command

django.setup()

from django_cron.models import CronJobLog  # noqa: E402 - Django must be set up
from shop_log import seen  # noqa: E402

STEP = timedelta(minutes=int(sys.argv[1]))
call_command("migrate", verbosity=0)
with time_machine.travel(0, tick=False) as clock:
    for month in json.load(sys.stdin):
        CronJobLog.objects.all().delete()
        moment, end = map(datetime.fromisoformat, month["span"])
        outages = [tuple(map(datetime.fromisoformat, outage)) for outage in month["outages"]]
        while moment <= end:
            if not any(down <= moment < up for down, up in outages):
                late = moment.timestamp() // 60 * 377 % 500  # it takes a second to start, and not always as long
                clock.move_to(moment + timedelta(seconds=1, milliseconds=late), tick=False)
                call_command("runcrons", silent=True)
            moment += STEP
sys.stdout.write(json.dumps(seen))
