"""What tasks did, one JSON object a line, in the order in which they did it."""

import json
import os
import time

from django.conf import settings

from asyncsched import current_run


def note(event: str) -> None:
    """Append what the current run did, with the seconds since the epoch at which it was due and is now."""
    run = current_run()
    line = {
        "task": run.task,
        "event": event,
        "due": run.scheduled_for.timestamp(),
        "at": time.time(),
        "process": os.getpid(),
    }
    with open(settings.E2E_LEDGER, "a", encoding="utf-8") as ledger:  # noqa: PTH123 - one small append
        ledger.write(json.dumps(line) + "\n")
