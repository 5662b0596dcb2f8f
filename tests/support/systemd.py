"""The end of systemd that processes talk to: a real datagram socket, and what arrived at it.

with Manager(tmp_path / "notify") as manager:
    manager.environment         # for the process
    manager.heard               # [(monotonic seconds, "READY=1\nSTATUS=..."), ...]
"""

import socket
import threading
import time
from pathlib import Path
from typing import Self


class Manager:
    """Listens at *address*: a path, or a name in the abstract namespace if it begins with @."""

    def __init__(self, address: Path | str, *, watchdog: float | None = None) -> None:
        self.environment = {"NOTIFY_SOCKET": str(address)}
        if watchdog is not None:
            self.environment["WATCHDOG_USEC"] = str(round(watchdog * 1_000_000))
        self.heard: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        text = str(address)
        self._socket.bind(f"\0{text[1:]}" if text.startswith("@") else text)
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def lines(self, start: str = "") -> list[str]:
        """Return every line that begins with *start*, in the order of arrival."""
        return [line for _, message in list(self.heard) for line in message.splitlines() if line.startswith(start)]

    def moments(self, line: str) -> list[float]:
        """Return when, by the monotonic clock, *line* arrived."""
        return [moment for moment, message in list(self.heard) if line in message.splitlines()]

    def _listen(self) -> None:
        while message := self._socket.recv(4096):
            self.heard.append((time.monotonic(), message.decode()))
