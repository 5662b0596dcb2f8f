"""A program on a pseudo-terminal, and what a person would see there.

with Terminal("manage.py", "async_tasks", "list", columns=80, env=...) as terminal:
    terminal.wait_for("never")
    print(terminal.screen())
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_PIECE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\x1b[()].|[\r\n]|[^\x1b\r\n]+|\x1b")


class Terminal:
    """Starts Python with *arguments* on a terminal of *columns* and *lines*; ends it, too."""

    def __init__(
        self,
        *arguments: str,
        env: dict[str, str],
        columns: int = 80,
        lines: int = 40,
        stdout: int | None = None,
    ) -> None:
        self.output = ""
        self._at_end = False
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, *arguments],  # the terminal is its own: Ctrl-C reaches it
            cwd=ROOT,
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8"} | env,
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
        )
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        if self.process.stdout:
            self.process.stdout.close()
        os.close(self._master)

    def wait_for(self, text: str, *, times: int = 1, within: float = 60.0) -> None:
        """Read until *text* has been written so many times; fail if the program ends first, or too late."""
        deadline = time.monotonic() + within
        while self.output.count(text) < times:
            assert self._read(deadline), f"{text!r} was not written {times} times:\n{self.output}"

    def wait_until_seen(self, text: str, within: float = 60.0) -> None:
        """Read until *text* stands on the terminal: while it is written anew, half of it may be missing."""
        deadline = time.monotonic() + within
        while text not in self.screen():
            assert self._read(deadline), f"{text!r} is not to be seen:\n{self.screen()}"

    def type(self, keys: str) -> None:
        """Press *keys*: Ctrl-C is ``\\x03``."""
        os.write(self._master, keys.encode())

    def end(self, within: float = 60.0) -> int:
        """Read all that the program writes, and return its exit code."""
        deadline = time.monotonic() + within
        while self._read(deadline):
            pass
        assert self._at_end, f"the program goes on:\n{self.output}"
        return self.process.wait(30)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def screen(self) -> str:
        """Return what stands on the terminal now, without colours; nothing ever scrolls away."""
        return "\n".join("".join(line).rstrip() for line in _drawn(self.output)).rstrip()

    def _read(self, deadline: float) -> bool:
        """Wait for output; False at the end of it, and after *deadline*."""
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # how Linux says that the other end is closed
            piece = b""
        self._at_end = not piece
        self.output += piece.decode(errors="replace")
        return bool(piece)


def _drawn(output: str) -> list[list[str]]:
    """Return the lines that *output* leaves on a terminal that wraps nothing."""
    lines: list[list[str]] = [[]]
    row = column = 0
    for piece in _PIECE.finditer(output):
        text, count = piece[0], int(piece[1]) if piece[1] and piece[1].isdecimal() else 1
        if text == "\r":
            column = 0
        elif text == "\n":
            row += 1
        elif piece[2] == "A":
            row = max(0, row - count)
        elif piece[2] == "K":
            lines[row] = [] if piece[1] == "2" else lines[row][:column]
        elif not text.startswith("\x1b"):
            line = lines[row] + [" "] * (column - len(lines[row]))
            lines[row] = line[:column] + list(text) + line[column + len(text) :]
            column += len(text)
        lines += [[] for _ in range(row + 1 - len(lines))]
    return lines
