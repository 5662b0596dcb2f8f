"""What is handed off while things break: short and long, with and without a limit, some fail at first.

Each run notes that it began and that it ended; in between it is just busy.
"""

import os
import time
from collections.abc import Callable

from errands.notes import note

from asyncsched import Every, Retry, current_run, register

TIMEOUT = 2.0  # seconds, of those that have one
WORKER = os.environ.get("CHORES_PROCESS", "")


def chore(name: str, *, every: float, takes: float, fails: bool = False, **options: object) -> None:
    """Register the task *name*, of which a run takes so many seconds; if it *fails*, every other one at first."""

    def work() -> str:
        run = current_run()
        occurrence = round(run.scheduled_for.timestamp() / every)
        about = {"task": name, "due": run.scheduled_for.isoformat(), "attempt": run.attempt, "worker": WORKER}
        note("began", **about)
        is_odd = bool(occurrence % 2)
        _be_busy(3 * takes if is_odd and "timeout" in options else takes, lambda: run.stopping)
        if fails and is_odd and run.attempt == 1:
            note("failed", **about)
            raise RuntimeError("not at first")
        note("ended", **about, told_to_stop=run.stopping)
        return "done"

    register(name, Every(every), executor="celery", **options)(work)


def _be_busy(seconds: float, is_told: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and not is_told():
        time.sleep(0.05)


chore("quick", every=2, takes=0.05)
chore("middling", every=3, takes=1.0)
chore("long", every=6, takes=3.0, catch_up="all")
chore("limited", every=4, takes=1.0, timeout=TIMEOUT)
chore("flaky", every=3, takes=0.2, fails=True, retry=Retry(attempts=2, delay=0.5))
chore("again", every=6, takes=2.0, rerun_abandoned=True)
