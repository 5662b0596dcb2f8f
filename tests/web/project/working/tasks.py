"""Tasks that wait for the test: the file ``allowed`` in WORK_FOLDER says how far they may go."""

import os
import time
from pathlib import Path

from asyncsched import Every, current_run, register

ALLOWED = Path(os.environ["WORK_FOLDER"]) / "allowed"
HOUR = Every(seconds=3600, offset=int(os.environ.get("WORK_OFFSET", "0")))


def allowed() -> int:
    return int(ALLOWED.read_text() or 0) if ALLOWED.exists() else 0


@register("count_to_ten", HOUR)
def count_to_ten() -> None:
    """Count to ten, as far as it is let."""
    run = current_run()
    for done in range(11):
        while allowed() < done and not run.stopping:
            time.sleep(0.02)
        run.progress(done, 10)


@register("fails", HOUR)
def fails() -> None:
    """Look for what is not there."""
    raise LookupError("there is nothing <here>")


@register("tick", Every(seconds=1))
async def tick() -> None:
    """Tick every second."""


@register("nightly/of a very_long_name_that_nobody_would_ever_give_to_anything & more", HOUR, enabled=False)
async def nightly() -> None:
    """Show that a name may be long, and have a slash."""
