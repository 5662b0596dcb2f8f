"""Daphne with this deployment, as a process on a port of its own that may be stopped and started again."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import django_process

PATIENCE = 30.0  # seconds
# What Python and asyncio say when somebody lost a task, an exception or a socket.
LEAKS = ("never retrieved", "was destroyed but it is pending", "ResourceWarning", "never awaited", "unclosed")


class Daphne:
    """One server, whether it is running or not. *dev* is Python's development mode."""

    def __init__(self, folder: Path, *, database_url: str, dev: bool = True, **environment: str) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._log = folder / f"daphne-{self.port}.log"
        mode = ["-X", "dev"] if dev else []
        bind = ["-b", "127.0.0.1", "-p", str(self.port)]
        self._command = [sys.executable, *mode, "-m", "daphne", *bind, "asgi:application"]
        self._environment = django_process.environment(database_url, PYTHONUNBUFFERED="1", **environment)

    @property
    def log(self) -> str:
        """What it has printed so far, over all its starts."""
        return self._log.read_text(errors="replace")

    @property
    def leaks(self) -> list[str]:
        """Lines of the log that tell of a lost task, exception, coroutine or socket."""
        return [line for line in self.log.splitlines() if any(leak in line for leak in LEAKS)]

    def start(self) -> None:
        """Start it and return once it answers; fail with the log if it does not."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=django_process.ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"daphne does not serve (exit code {self.process.poll()}):\n{self.log}")
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it at once, if it is running."""
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGKILL)

    def get(self, path: str, *, timeout: float = PATIENCE, **headers: str) -> tuple[int, str]:
        """Send one GET request; return status and body. Raises OSError if it is not answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        """Return the processor time it has used, in user and kernel."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _answers(self) -> bool:
        try:
            return self.get("/healthz", timeout=1)[0] == 200
        except (OSError, http.client.HTTPException):
            return False


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
