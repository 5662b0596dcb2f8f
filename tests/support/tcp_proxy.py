"""A network cable to pull: a TCP proxy between a client and a server of 127.0.0.1.

with TcpProxy(server_port) as proxy:
    connect("127.0.0.1", proxy.port)
    proxy.freeze()      # nothing gets through any more, and nobody is told
    proxy.heal()        # what was sent meanwhile arrives after all, as with TCP it does

Its connections live on an event loop in a thread of its own; every method is called from outside
and returns when it has been done.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Self

from tests.support.ports import free_port

CHUNK = 65_536
PATIENCE = 10.0


class TcpProxy:
    """Forwards whatever connects to ``port`` to *target_port*, until told otherwise. ``with`` starts it and ends it."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.port = free_port()
        self._socket = _bound(self.port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_server = asyncio.Event()
        self._to_client = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def freeze(self) -> None:
        """Let nothing through in either direction, say so to nobody, and go on taking connections."""
        self._call(self._set(to_server=False, to_client=False))

    def deafen(self) -> None:
        """Let what the client says through, and no answer back."""
        self._call(self._set(to_server=True, to_client=False))

    def sever(self) -> None:
        """Close every connection there is; new ones are taken."""
        self._call(self._abort())

    def refuse(self) -> None:
        """Close every connection there is, and take no new one."""
        self._call(self._stop_listening())

    def heal(self) -> None:
        """Be a plain proxy again; what was held back arrives."""
        self._call(self._open())

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    async def _set(self, *, to_server: bool, to_client: bool) -> None:
        for gate, is_open in ((self._to_server, to_server), (self._to_client, to_client)):
            gate.set() if is_open else gate.clear()

    async def _open(self) -> None:
        await self._set(to_server=True, to_client=True)
        if self._server is None:
            if self._socket.fileno() < 0:
                self._socket = _bound(self.port)
            self._server = await asyncio.start_server(self._serve, sock=self._socket)

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._abort()

    async def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close(self) -> None:
        await self._stop_listening()
        self._socket.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._forward(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # somebody hung up, or the cable was cut: cancelled by us, and nobody waits for this task
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await self._to_server.wait()
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers.add(server_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, server_writer, self._to_server.wait))
                both.create_task(_pump(server_reader, writer, self._to_client.wait))
        except* OSError:
            pass
        finally:
            server_writer.transport.abort()
            self._writers.discard(server_writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: Callable[[], Awaitable[Any]]) -> None:
    """Forward until the other side has closed, whenever *gate* lets it."""
    while data := await reader.read(CHUNK):
        await gate()
        writer.write(data)
        await writer.drain()
    await gate()
    with suppress(OSError, NotImplementedError):
        writer.write_eof()


def _bound(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    return listening
