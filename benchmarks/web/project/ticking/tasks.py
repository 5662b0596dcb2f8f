"""Tasks that do nothing but note when they start."""

import os
import time
from pathlib import Path

from asyncsched import Every, current_run, register
from benchmarks.web.project import options


class Starts:
    """What the tasks have noted since somebody asked last."""

    def __init__(self) -> None:
        self._lateness: list[float] = []
        self._missing = 0
        self._latest: dict[str, float] = {}

    def note(self) -> None:
        """Note that the current run starts now."""
        now = time.time()
        run = current_run()
        due = run.scheduled_for.timestamp()
        self._lateness.append(now - due)
        self._missing += round(due - self._latest.get(run.task, due - 1)) - 1
        self._latest[run.task] = due

    def taken(self) -> dict[str, object]:
        """Return how late the starts were, in seconds, and how many are missing; and begin anew."""
        taken = {"lateness": self._lateness, "missing": self._missing}
        self._lateness, self._missing = [], 0
        return taken


starts = Starts()


async def tick() -> None:
    """Do nothing."""
    starts.note()


for number in range(options.TASKS):
    offset = number / options.TASKS if options.IS_SPREAD else 0
    register(f"tick {number}", Every(seconds=1, offset=offset), timeout=10)(tick)

if options.LEDGER and not options.TASKS:

    @register("note", Every(seconds=0.5), timeout=5)
    def note() -> None:
        """Note which process ran it, and when."""
        with Path(options.LEDGER).open("a") as ledger:
            ledger.write(f"{os.getpid()} {time.time()}\n")
