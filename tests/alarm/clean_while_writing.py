"""Cleans a large table of alarm events while somebody else writes; prints how long the writer had to wait.

Usage: clean_while_writing.py ROWS
"""

import json
import sys
import threading
import time
from pathlib import Path

import django
from django.db import connection, connections

django.setup()

from alarm.events import record  # noqa: E402
from alarm.models import AlarmEvent  # noqa: E402
from alarm.tasks import cleanup_old_events  # noqa: E402

OLD = "2020-01-01 00:00:00+00:00"


def add_old_events(count):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO alarm_alarmevent (kind, message, source, details, created_at) "
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s) "
            "SELECT 'motion', 'somebody walked past camera ' || n, 'frigate', '{\"score\": 0.71}', "
            f"CAST('{OLD}' AS {'text' if connection.vendor == 'sqlite' else 'timestamptz'}) FROM numbers",
            [count],
        )


def seconds_without_a_core():
    """For how long in all the threads here were ready to run while others had the processor."""
    files = Path("/proc/self/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[1]) for file in files) / 1e9


class Writer(threading.Thread):
    """Does what a web request does: one short write after the other, on a connection of its own."""

    def __init__(self):
        super().__init__()
        self.waits = []
        self.enough = threading.Event()

    def run(self):
        try:
            while not self.enough.wait(0.005):
                started, without = time.monotonic(), seconds_without_a_core()
                record("door_opened", "The door is open")
                # What other programs cost is not a wait for the clean-up.
                self.waits.append(time.monotonic() - started - (seconds_without_a_core() - without))
        finally:
            connections.close_all()


def main():
    add_old_events(int(sys.argv[1]))
    writer = Writer()
    writer.start()
    started = time.monotonic()
    deleted = cleanup_old_events()
    seconds = time.monotonic() - started
    writer.enough.set()
    writer.join()
    waits = sorted(writer.waits)
    figures = {
        "deleted": deleted,
        "left": AlarmEvent.objects.count(),
        "written": len(waits),
        "seconds": round(seconds, 2),
        "longest_wait": round(waits[-1], 4),
        "p99_wait": round(waits[int(len(waits) * 0.99)], 4),
        "median_wait": round(waits[len(waits) // 2], 4),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
