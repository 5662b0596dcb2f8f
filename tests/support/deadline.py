"""Waiting for a condition instead of for a time."""

import asyncio
import inspect
import time


async def eventually(condition, *, within: float = 30.0, what: str = "the condition"):
    """Return the first true result of *condition*, sync or async; fail after *within* seconds."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        assert time.monotonic() < deadline, f"{what} did not come true within {within} s; last: {result!r}"
        await asyncio.sleep(0.02)
