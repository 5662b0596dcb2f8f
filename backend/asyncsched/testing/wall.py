"""The wall clock that all code in this process sees."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Wall:
    """From *start* on, ``datetime.now()``, ``timezone.now()`` and ``time.time()`` show what this says.

    The monotonic clocks of the system go on as they are, and so does the local time zone.
    """

    def __init__(self, start: datetime) -> None:
        try:
            import time_machine  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise ImportError("virtual time needs time-machine: pip install asyncsched[testing]") from error
        self.now = start.astimezone(UTC)
        self._travel = time_machine.travel(0, tick=False)
        self._traveller = self._travel.start()
        self._traveller.shift(self.now - EPOCH)

    def shift(self, by: timedelta) -> None:
        """Let *by* pass at once; back if it is below zero."""
        self.now += by
        self._traveller.shift(by)

    def stop(self) -> None:
        """Show the real time again."""
        self._travel.stop()
