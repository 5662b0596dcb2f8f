"""The truth about what was started: one line per start, in a file that no outage reaches.

Each line is one short write to a file opened for appending: it is there as a whole or not at all,
survives ``kill -9``, and costs the loop microseconds.
"""

import json
import os
import time
from datetime import UTC, datetime, timedelta

from django.conf import settings

from asyncsched import current_run

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FILE = os.open(settings.CHAOS_LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def note() -> tuple[int, int]:
    """Say that the current run has started; return its due time, in microseconds since the epoch, and its attempt."""
    run = current_run()
    due = (run.scheduled_for - _EPOCH) // timedelta(microseconds=1)
    line = {
        "task": run.task,
        "due": due,
        "attempt": run.attempt,
        "trigger": run.trigger,
        "term": run.term,
        "run_id": run.id,
        "replica": settings.CHAOS_REPLICA,
        "pid": os.getpid(),
        "at": time.clock_gettime(time.CLOCK_MONOTONIC),  # the one clock that all processes share
    }
    os.write(_FILE, (json.dumps(line) + "\n").encode())
    return due, run.attempt
