"""One time for all processes of a deployment: that of their database, kept going in between by the monotonic clock."""

import asyncio
from datetime import datetime, timedelta

from asyncsched.engine.clock import NOTICEABLE
from asyncsched.engine.ports import Clock


class SharedClock:
    """Keeps the Clock contract by *own*, the machine's clock, until it is told the shared time; from then on by that.

    Setting the machine's clock then changes nothing. A suspended machine falls behind until it is
    told the time again.
    """

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._anchor: tuple[datetime, float] | None = None
        self._unreported = 0.0
        self._is_watched = False  # until then nothing has gone by the time that was shown before
        self._told = asyncio.Event()

    @property
    def earliest(self) -> datetime:
        return self._own.earliest

    def now(self) -> datetime:
        if self._anchor is None:
            return self._own.now()
        moment, at = self._anchor
        return moment + timedelta(seconds=self._own.monotonic() - at)

    def monotonic(self) -> float:
        return self._own.monotonic()

    def tell(self, moment: datetime, at: float, *, margin: float = 0.0) -> None:
        """The shared time was *moment*, give or take *margin* seconds, when the monotonic clock showed *at*.

        Call it on the loop.
        """
        told = moment + timedelta(seconds=self._own.monotonic() - at)
        step = (told - self.now()).total_seconds()
        if self._anchor is not None and abs(step) <= margin:
            return  # what is known agrees with it, and goes more evenly
        self._anchor = (moment, at)
        if (
            self._is_watched and abs(step) >= NOTICEABLE
        ):  # less is made up for without a word: every task waits for what it has seen
            self._unreported += step
            self._told.set()

    async def stepped(self) -> float:
        self._is_watched = True
        while True:
            own = asyncio.ensure_future(self._own.stepped())
            told = asyncio.ensure_future(self._told.wait())
            try:
                await asyncio.wait([own, told], return_when=asyncio.FIRST_COMPLETED)
            finally:
                own.cancel()
                told.cancel()
                await asyncio.wait([own, told])
            if self._told.is_set():
                self._told.clear()
                step, self._unreported = self._unreported, 0.0
                return step
            if self._anchor is None and not own.cancelled():
                return own.result()
