"""A mail server that keeps what it is given, on a real socket, in a thread of its own."""

import asyncio
import threading
from email import message_from_bytes
from email.message import Message
from typing import Self


class MailServer:
    """Speaks as much SMTP as a client needs to hand over mail.

    with MailServer() as server:
        ...                # send to 127.0.0.1, port server.port
        server.mails       # [email.message.Message, ...]
    """

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        """Whether it answers every mail with 550."""
        self.mails: list[Message] = []
        self.port = 0
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="mail server")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(15)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._closing.wait()
        server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail server of a test\r\n")
        while line := await reader.readline():
            command = line.split()[0].upper() if line.split() else b""
            if command == b"DATA":
                writer.write(b"354 go on, end with a dot\r\n")
                self._take(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(self._answer(command))
            await writer.drain()
            if command == b"QUIT":
                break
        writer.close()
        await writer.wait_closed()

    def _take(self, data: bytes) -> None:
        if not self.refuses:
            self.mails.append(message_from_bytes(data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")))

    def _answer(self, command: bytes) -> bytes:
        if command == b"QUIT":
            return b"221 bye\r\n"
        if command == b"AUTH":
            return b"235 welcome\r\n"
        if command == b"EHLO":
            return b"250-here\r\n250 AUTH PLAIN LOGIN\r\n"
        return b"550 not wanted\r\n" if self.refuses and command == b"DATA" else b"250 fine\r\n"
