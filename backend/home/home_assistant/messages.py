"""Messages of the WebSocket API: from text to values, without keeping the event loop waiting."""

import asyncio
import re
from typing import Any

from home import wire

SHORT = 64 * 2**10  # characters; decoded on the spot, in less than a millisecond
LONG = 2**20  # characters; whatever is longer must be an answer that is a list

# How Home Assistant writes the answer to get_states: this, the list, and a brace.
_BEFORE_A_LIST = re.compile(
    r'\s*\{\s*"id":\s*(\d{1,18}),\s*"type":\s*"result",\s*"success":\s*true,\s*"result":\s*(?=\[)'
)


async def decode(message: str) -> Any:
    """Return the JSON value in *message*; raise wire.Malformed if there is none, or one that is much too long."""
    if len(message) <= SHORT:
        return wire.decode(message.encode())
    return await asyncio.to_thread(decode_long, message)


def decode_long(message: str) -> Any:
    """Do the same in a thread: lists of entities item by item, so that other threads get their turn."""
    head = _BEFORE_A_LIST.match(message)
    if head and message.endswith("}"):
        items = wire.decode_list(message[head.end() : -1].encode())
        return {"id": int(head[1]), "type": "result", "success": True, "result": items}
    if len(message) > LONG:
        raise wire.Malformed("too long")
    return wire.decode(message.encode())
