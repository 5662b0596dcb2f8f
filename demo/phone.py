"""A phone: what Apprise sends to a ``json://`` address is shown where it rings."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from demo.addresses import HOST

LONGEST = 300  # characters


@asynccontextmanager
async def running_phone(port: int, show: Callable[[str], None]) -> AsyncIterator[None]:
    """Take messages on *port* of 127.0.0.1 within the ``async with``, and *show* each in a line."""

    async def take(request: web.Request) -> web.Response:
        try:
            message = await request.json()
        except ValueError:
            return web.Response(status=400, text="not JSON")
        show(_line(message))
        return web.Response()

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, reuse_address=True).start()
        yield
    finally:
        await runner.cleanup()


def _line(message: Any) -> str:
    """Return title and text of *message* in one line that is safe to print."""
    texts = [message.get("title"), message.get("message")] if isinstance(message, dict) else [json.dumps(message)]
    line = ": ".join(" ".join(str(text).split()) for text in texts if text)
    return "".join(character for character in line if character.isprintable())[:LONGEST]
