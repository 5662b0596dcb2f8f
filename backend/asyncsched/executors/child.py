"""A process of ``ProcessExecutor`` as seen from here; ``child_main`` is what goes on in it."""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any, Self

from asyncsched.engine.context import Run
from asyncsched.engine.runs import Outcome, RunStatus
from asyncsched.executors.order import Order

LAST_WORDS = 0.5
"""Seconds that a function has to clean up when its process is to end."""
LAST_MESSAGES = 0.1
"""Seconds after the end of a process until all that it said has been read."""
LOOK = 0.5
"""Seconds within which a run that is to stop early is told so."""
LONGEST_MESSAGE = 2**20  # bytes; the texts of an outcome are trimmed
PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from asyncsched.executors.child_main import main; main()"

Message = dict[str, Any]


class Child:
    """One process, and this side of the socket to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._is_ready = False
        self._end_of_process = asyncio.create_task(self._hang_up(), name="asyncsched process")

    @classmethod
    async def start(cls) -> Self:
        """Start one. Raises OSError if the system has no more to give."""
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LONGEST_MESSAGE)
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", PROGRAM, *sys.path, stdin=theirs.fileno(), start_new_session=True
                )
            except BaseException:
                writer.close()
                raise
        return cls(process, reader, writer)

    @property
    def is_gone(self) -> bool:
        """True once it has ended, or is about to."""
        return self._reader.at_eof() or self._writer.is_closing() or self._process.returncode is not None

    async def get_ready(self) -> Outcome | None:
        """Wait until Django is set up in it; return what becomes of the run if that fails."""
        if not self._is_ready:
            message = await self._next()
            if message is None or "ready" not in message:
                return await self._outcome(message)
            self._is_ready = True
        return None

    async def perform(self, order: Order, run: Run) -> Outcome:
        """Let it perform *order*; tell *run* how far it is, and it once *run* is to stop early."""
        self._send(order=order.to_dict())
        is_told = False
        while True:
            if run.stopping and not is_told:
                self._send(stop=True)
                is_told = True
            with suppress(TimeoutError):
                async with asyncio.timeout(None if is_told else LOOK):
                    message = await self._next()
                if message is None or "outcome" in message:
                    return await self._outcome(message)
                run.progress(*message["progress"])

    async def end(self) -> str | None:
        """Let it end, by force if it does not; return what its run has written to the log, if it says so."""
        log = None
        if not self._writer.is_closing():
            self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                while message := await self._next():
                    log = message.get("outcome", {}).get("log")
                await self._process.wait()
        self.kill()
        await asyncio.wait([self._end_of_process])
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        return log

    def kill(self) -> None:
        """End it at once, with what it has started."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _hang_up(self) -> None:
        """Close this side once the process has ended: the other may be held by what it has forked."""
        await self._process.wait()
        await asyncio.sleep(LAST_MESSAGES)
        self._writer.transport.abort()

    async def _outcome(self, message: Message | None) -> Outcome:
        if message is not None:
            return Outcome.from_dict(message["outcome"])
        await self.end()
        code = self._process.returncode or 0
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return Outcome(status=RunStatus.ABANDONED, error=f"its process {how}")

    async def _next(self) -> Message | None:
        """Return what it says next, None once it has ended."""
        with suppress(ConnectionError):
            line = await self._reader.readline()
            if line.endswith(b"\n"):
                message: Message = json.loads(line)
                return message
        return None

    def _send(self, **message: Any) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")
