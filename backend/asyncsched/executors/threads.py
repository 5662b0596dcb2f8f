"""Calls that may wait for a broker for as long as they like: each in a daemonic thread of its own."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from asyncsched.engine.boundary import Boundary
from asyncsched.storage.connections import thread_connections

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """What a call has returned, or the error that it raised."""

    value: Value | None
    error: BaseException | None


def in_thread(function: Callable[[], Value], name: str) -> asyncio.Future[Answer[Value]]:
    """Call *function* in a new thread called *name*, which keeps no process alive; return the answer to come."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer[Value]] = loop.create_future()

    def deliver(value: Value | None, error: BaseException | None) -> None:
        if not answer.done():
            answer.set_result(Answer(value, error))

    def call() -> None:
        value = None
        with Boundary() as boundary, thread_connections():
            value = function()
        with suppress(RuntimeError):  # the loop was closed: nobody is left who wants to know
            loop.call_soon_threadsafe(deliver, value, boundary.error)

    threading.Thread(target=call, name=name, daemon=True).start()
    return answer
