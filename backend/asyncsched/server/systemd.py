"""What systemd wants to hear: that the process serves, that it stops, and that its event loop goes on.

A datagram to the socket that NOTIFY_SOCKET names; without it nothing here happens. Where the unit
sets WatchdogSec, a sign of life leaves the event loop itself at twice that rate. So a loop that is
blocked for longer gets the process restarted, although it still has a process id and open ports.

Only the main process of a unit is heard (NotifyAccess=main), so servers with workers tell nothing.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping

logger = logging.getLogger("asyncsched.server")


class Systemd:
    """The service manager, as *environment* describes it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog = _watchdog(environment)
        self._beats: asyncio.Task[None] | None = None
        self._is_deaf = False

    def ready(self, status: str) -> None:
        """The process serves: *status* says in one line how. From now on signs of life follow, if they are wanted."""
        self._tell("READY=1", f"STATUS={status}")
        if self._address and self._watchdog and self._beats is None:
            self._beats = asyncio.create_task(self._beat(self._watchdog / 2), name="asyncsched systemd watchdog")

    def stopping(self, status: str) -> None:
        """The process stops; *status* says in one line what it waits for."""
        self._tell("STOPPING=1", f"STATUS={status}")

    def stopped(self) -> None:
        """It need not give signs of life any more."""
        if self._beats is not None:
            self._beats.cancel()
            self._beats = None

    async def _beat(self, pause: float) -> None:
        while True:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(pause)

    def _tell(self, *lines: str) -> None:
        """Send *lines*; never wait for anybody to read them."""
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.sendto("\n".join(lines).encode(), socket.MSG_DONTWAIT, address)
        except OSError as error:
            if not self._is_deaf:
                logger.warning("systemd cannot be told how this process fares: %s", error)
            self._is_deaf = True
        else:
            self._is_deaf = False


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """Return the seconds after which a silent process is restarted; None if it is not, or another process is meant."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        return int(environment.get("WATCHDOG_USEC", "")) / 1_000_000 or None
    except ValueError:
        return None
