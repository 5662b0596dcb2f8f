"""One of those that are disturbed: a server or a worker, behind a network cable of its own to the database."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.executors.chaos.plan import Kind
from tests.support.servers import Server
from tests.support.tcp_proxy import TcpProxy

WARM = 8.0  # seconds that a process has to end by itself
DOWN = 0.3  # seconds until a process that has ended is started again


class Party:
    """*name* is how evidence calls it. Everything about time is monotonic seconds."""

    def __init__(self, name: str, server: Server, proxy: TcpProxy) -> None:
        self.name = name
        self.server = server
        self.is_disturbed = False
        self.unsound: list[tuple[float, float]] = []
        """From when to when it was not itself."""
        self._proxy = proxy
        self._groups: list[int] = []
        self._told_at = 0.0
        self._ends: Callable[[], None] = _nothing

    def start(self) -> None:
        """Start a process."""
        self.server.start()
        self._groups.append(self.server.process.pid)

    @property
    def pid(self) -> int:
        return self.server.process.pid

    @property
    def has_ended(self) -> bool:
        return self.server.process.poll() is not None

    def begin(self, kind: Kind, rng: random.Random) -> None:
        """Disturb it, until ``end``."""
        self.is_disturbed = True
        self.unsound.append((time.monotonic(), float("inf")))
        self._told_at = time.monotonic()
        self._ends = self._disturb(kind, rng)

    def end(self) -> bool:
        """Let it be, if it is time; return False if it is not yet."""
        if self._ends == self._start_again and not self.has_ended:
            if time.monotonic() < self._told_at + WARM:
                return False
            self.server.send(signal.SIGKILL)
            self.server.process.wait()
        self._ends()
        self.unsound[-1] = (self.unsound[-1][0], time.monotonic())
        self.is_disturbed = False
        return True

    def restart_if_ended(self) -> bool:
        """Do what a process manager does; return True if there was something to do."""
        if self.is_disturbed or not self.has_ended:
            return False
        self.unsound.append((time.monotonic() - DOWN, time.monotonic()))
        self.start()
        return True

    def kill(self) -> None:
        """End every process it ever was, and its children."""
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        if self._groups:
            self.server.process.wait()

    def _disturb(self, kind: Kind, rng: random.Random) -> Callable[[], None]:
        if kind is Kind.TERM:
            self.server.send(signal.SIGTERM)
            return self._start_again
        if kind in (Kind.KILL, Kind.KILL_ALL):
            self.server.send(signal.SIGKILL) if kind is Kind.KILL else self.server.kill()
            self.server.process.wait()
            return self._start_again
        if kind is Kind.KILL_CHILD:
            if children := _children(self.pid):
                os.kill(rng.choice(children), signal.SIGKILL)
            return _nothing
        if kind is Kind.STOP:
            self.server.send_to_all(signal.SIGSTOP)
            return lambda: self.server.send_to_all(signal.SIGCONT)
        if kind is Kind.SEVER:
            self._proxy.sever()
            return _nothing
        {Kind.FREEZE: self._proxy.freeze, Kind.DEAFEN: self._proxy.deafen, Kind.REFUSE: self._proxy.refuse}[kind]()
        return self._proxy.heal

    def _start_again(self) -> None:
        self.start()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _nothing() -> None:
    """It needs no end."""
