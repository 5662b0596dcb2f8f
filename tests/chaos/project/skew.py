"""A process whose wall clock is wrong by a constant.

time-machine does it, and not the preloaded libfaketime: below Python 3.11 that makes every
``time.sleep`` fail with EINVAL, and below both the monotonic clock stays as it is.
"""

from datetime import UTC, datetime, timedelta


def apply(seconds: float) -> None:
    """From now on every wall clock of this process is *seconds* ahead; below zero it is behind."""
    if seconds:
        import time_machine

        time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True).start()
