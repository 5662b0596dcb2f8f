"""One replica: a real server, behind a cable of its own, with a clock of its own and a ledger in a file."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.chaos.plan import Kind
from tests.chaos.records import Deed, Start, What
from tests.support.servers import Kind as ServerKind
from tests.support.servers import Server
from tests.support.tcp_proxy import TcpProxy

PROJECT = Path(__file__).parent / "project"
TAIL = 2_000  # characters


class Replica:
    """Called r1, r2 and so on. What is done to it is noted in the harness's log by *note*."""

    def __init__(
        self,
        name: str,
        kind: ServerKind,
        *,
        folder: Path,
        environment: dict[str, str],
        proxy: TcpProxy | None,
        note: Callable[[Deed], None],
    ) -> None:
        self.name = name
        self.free_at: float | None = 0.0
        """From when on it may be disturbed again; None while it is being disturbed."""
        self._begun: int | None = None
        self._kind = kind
        self._proxy = proxy
        self._note = note
        self._ledger = folder / f"ledger-{name}"
        own = {"CHAOS_REPLICA": name, "CHAOS_LEDGER": str(self._ledger)}
        self.server = Server(kind, folder=folder, project=PROJECT, environment=environment | own, dev=False)

    @property
    def pid(self) -> int:
        """The process started last."""
        return self.server.process.pid

    @property
    def has_ended(self) -> bool:
        """True once the process has ended, whatever ended it."""
        return self.server.process.poll() is not None

    @property
    def ended_as_it_should(self) -> bool:
        """True if its exit code is one that SIGTERM leads to."""
        return self.server.process.returncode in self._kind.exit_codes

    def starts(self) -> list[Start]:
        """Return what its processes have started, in order."""
        if not self._ledger.exists():
            return []
        return [Start(**json.loads(line)) for line in self._ledger.read_text().splitlines()]

    def is_at_work(self) -> bool:
        """True if the process started last has run a task, and has not ended."""
        if self._begun != self.pid and self._ledger.exists():
            with self._ledger.open("rb") as ledger:
                ledger.seek(max(0, self._ledger.stat().st_size - TAIL))
                if f'"pid": {self.pid},'.encode() in ledger.read():
                    self._begun = self.pid
        return self._begun == self.pid and not self.has_ended

    def start(self) -> None:
        """Start a process."""
        self.server.start()
        self._say(What.STARTED)

    def begin(self, kind: Kind, length: float) -> Callable[[], None] | None:
        """Disturb it; return what ends that after *length* seconds, if anything is to."""
        detail = f"{kind}, for {length:.1f} s"
        match kind:
            case Kind.KILL:
                self._say(What.KILLED)
                self.server.kill()
                return self.start
            case Kind.TERM:
                self._say(What.TOLD)
                self.server.send(signal.SIGTERM)
                return None  # how long it takes is up to it
            case Kind.STOP | Kind.STOP_BRIEFLY:
                self._say(What.STOPPED, detail)
                self.server.send(signal.SIGSTOP)
                self._wait_until_stopped()
                return self._resume
            case Kind.SEVER:
                assert self._proxy is not None
                self._say(What.SEVERED)
                self._proxy.sever()
                return None
            case _:
                self._say(What.CUT, detail)
                self._pull_cable(kind)
                return self._heal

    def note_exit(self) -> None:
        """Say that its process has ended, and how."""
        self._say(What.EXITED, f"code {self.server.process.returncode}")

    def note_sessions(self, count: int) -> None:
        """Say that the database has closed *count* of its connections."""
        self._say(What.SESSIONS, f"{count} of them")

    def _pull_cable(self, kind: Kind) -> None:
        assert self._proxy is not None
        {Kind.FREEZE: self._proxy.freeze, Kind.DEAFEN: self._proxy.deafen, Kind.REFUSE: self._proxy.refuse}[kind]()

    def _heal(self) -> None:
        assert self._proxy is not None
        self._proxy.heal()
        self._say(What.HEALED)

    def _wait_until_stopped(self) -> None:
        """Return when none of its threads runs any more. Its status is left to whoever waits for the process."""
        deadline = time.monotonic() + 1
        with suppress(ChildProcessError):  # it has ended by itself
            while not os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT):
                if time.monotonic() > deadline:
                    return
                time.sleep(0.001)

    def _resume(self) -> None:
        self.server.send(signal.SIGCONT)
        self._say(What.RESUMED)

    def _say(self, what: What, detail: str = "") -> None:
        self._note(Deed(at=time.monotonic(), what=what, replica=self.name, pid=self.pid, detail=detail))
