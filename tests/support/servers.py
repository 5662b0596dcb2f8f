"""ASGI servers as real processes: started on a free port, watched through their log, stopped by signals.

with Server(DAPHNE, folder=tmp_path, environment={"DATABASE_URL": ...}) as server:
    server.wait_until_serving()
    server.get("/")             # Response(status=200, body="...")
    server.stop()               # SIGTERM; returns the exit code
    server.start()              # again, on the same port
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0  # seconds until a test gives up waiting; a condition that holds is noticed at once
POLL = 0.02
# What Python and asyncio say when somebody lost a task, an exception, a coroutine or a socket.
LEAKS = ("never retrieved", "was destroyed but it is pending", "ResourceWarning", "never awaited", "unclosed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to serve ``asgi:application``. *arguments* follow ``python``; {port} is filled in."""

    name: str
    arguments: tuple[str, ...]
    exit_codes: tuple[int, ...] = (0,)
    """What SIGTERM makes of it; a process that dies of the signal itself shows as -15."""

    def command(self, port: int, *, dev: bool) -> list[str]:
        """Return the command line that serves on *port* of 127.0.0.1; *dev* is Python's development mode."""
        mode = ["-X", "dev"] if dev else []
        return [sys.executable, *mode, *(argument.format(port=port) for argument in self.arguments)]


_BIND = ("--host", "127.0.0.1", "--port", "{port}", "asgi:application")
DAPHNE = Kind(name="daphne", arguments=("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "asgi:application"))
UVICORN = Kind(name="uvicorn", arguments=("-m", "uvicorn", *_BIND), exit_codes=(0, -signal.SIGTERM))
UVICORN_OFF = Kind(name="uvicorn without lifespan", arguments=("-m", "uvicorn", "--lifespan", "off", *_BIND))
HYPERCORN = Kind(name="hypercorn", arguments=("-m", "hypercorn", "-b", "127.0.0.1:{port}", "asgi:application"))
HYPERCORN_ALONE = Kind(
    name="hypercorn without workers",
    arguments=("-m", "hypercorn", "--workers", "0", "-b", "127.0.0.1:{port}", "asgi:application"),
)
GRANIAN = Kind(name="granian", arguments=("-m", "granian", "--interface", "asgi", *_BIND))
RUNSERVER = Kind(name="runserver", arguments=("manage.py", "runserver", "--noreload", "127.0.0.1:{port}"))
RUNSERVER_RELOADING = Kind(name="runserver with reload", arguments=("manage.py", "runserver", "127.0.0.1:{port}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the server answered."""

    status: int
    body: str


class Server:
    """One server on one port, whether it is running or not; ``with`` starts it, and ends it whatever happens.

    It gets a session of its own, so that whatever it starts can be ended with it. *project* is the
    folder with its ``asgi.py``, by default this deployment's.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        folder: Path,
        project: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        dev: bool = True,
    ) -> None:
        self.kind = kind
        self.port = free_port()
        self._project = project
        self._environment = _environment(project, environment or {})
        self._dev = dev
        self._log = folder / f"{kind.name.replace(' ', '-')}-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process started last."""
        assert self._process is not None, "not started yet"
        return self._process

    @property
    def log(self) -> str:
        """What it has printed so far, over all its starts."""
        return self._log.read_text(errors="replace")

    @property
    def leaks(self) -> list[str]:
        """Lines of the log that tell of a lost task, exception, coroutine or socket.

        But for the socket on which the server listens: hypercorn leaves it open when it fails to start.
        """
        listening = f"laddr=('127.0.0.1', {self.port})>"
        lines = [line for line in self.log.splitlines() if listening not in line]
        return [line for line in lines if any(leak in line for leak in LEAKS)]

    @property
    def leaves_a_process(self) -> bool:
        """True if anything of what the process started last, or it itself, stays alive.

        What only outlives it for a moment has not stayed: the resource tracker of ``multiprocessing``,
        which hypercorn uses, ends when it finds that the last process at its pipe has gone.
        """
        deadline = time.monotonic() + PATIENCE
        while any(group == self.process.pid and state != "Z" for state, group in _processes()):
            if time.monotonic() > deadline:
                return True
            time.sleep(POLL)
        return False

    def start(self) -> None:
        """Start it; it does not serve yet when this returns."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.kind.command(self.port, dev=self._dev),
                cwd=self._project,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def get(self, path: str = "/", *, timeout: float = PATIENCE) -> Response:
        """Send one GET request. Raises OSError if the server does not answer it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return Response(status=response.status, body=response.read().decode(errors="replace"))
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        """Return the processor time it has used, in user and kernel."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until(self, condition: Callable[[], object], *, timeout: float = PATIENCE) -> None:
        """Return once *condition* holds; fail with the log if it does not in time, or the server ends before."""
        deadline = time.monotonic() + timeout
        while not condition():
            if self.process.poll() is not None and not condition():
                pytest.fail(f"{self.kind.name} exited with {self.process.returncode}:\n{self.log}")
            if time.monotonic() > deadline:
                pytest.fail(f"{self.kind.name}: did not come true within {timeout:g} s:\n{self.log}")
            time.sleep(POLL)

    def wait_until_logged(self, text: str, *, times: int = 1, timeout: float = PATIENCE) -> None:
        """Return once the log contains *text* at least *times* times."""
        self.wait_until(lambda: self.log.count(text) >= times, timeout=timeout)

    def wait_until_serving(self, *, timeout: float = PATIENCE) -> None:
        """Return once a request has been answered."""
        self.wait_until(self._answers, timeout=timeout)

    def send(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to the server's main process, as a process manager does."""
        self.process.send_signal(number)

    def send_to_all(self, number: int = signal.SIGINT) -> None:
        """Send a signal to all its processes, as a terminal does for Ctrl-C."""
        os.killpg(self.process.pid, number)

    def exit_code(self, *, timeout: float = PATIENCE) -> int:
        """Wait for the process to end and return its exit code, negative for a signal."""
        self.wait_until(lambda: self.process.poll() is not None, timeout=timeout)
        return self.process.returncode

    def stop(self, number: int = signal.SIGTERM, *, timeout: float = PATIENCE) -> int:
        """Send a signal and return the exit code."""
        self.send(number)
        return self.exit_code(timeout=timeout)

    def kill(self) -> None:
        """End it and everything it has started, at once, if anything is running."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it has ended by itself
        finally:
            self._process.wait()

    def _answers(self) -> bool:
        try:
            self.get(timeout=1)
        except (OSError, http.client.HTTPException):
            return False
        return True


def _processes() -> Iterator[tuple[str, int]]:
    """Yield state and process group of every process; state Z is one that has ended."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just gone
            state, _, group, *_ = file.read_text().rpartition(")")[2].split()
            yield state, int(group)


def _environment(project: Path, extra: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    paths = os.pathsep.join([str(project), str(ROOT / "backend")])
    return inherited | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", "SECRET_KEY": "for tests only", **extra}
