"""Whom the stall watch names for what a request does."""

import asyncio
from contextvars import Context, copy_context
from typing import Any

import pytest

from asyncsched.engine.culprits import culprit_of
from asyncsched.server import SchedulerLifespan


async def culprit_of_one(scope: dict[str, Any]) -> str:
    """Return who is to blame for what a coroutine does that the handler of *scope* has started."""
    contexts: list[Context] = []

    async def remember() -> None:
        contexts.append(copy_context())

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.create_task(remember())

    await asyncio.create_task(SchedulerLifespan(application)(scope, None, None))  # type: ignore[arg-type]
    return culprit_of(contexts[0], None, callback="nobody").name


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ({"type": "http", "method": "GET", "path": "/orders/7", "query_string": b"key=1"}, "request GET /orders/7"),
        ({"type": "websocket", "path": "/ws/status/"}, "websocket /ws/status/"),
        ({"type": "http", "method": "GET", "path": "/a\nCRITICAL b"}, "request GET /a%0ACRITICAL%20b"),
    ],
    ids=["without its query", "socket", "on one line"],
)
async def test_a_request_is_named_by_its_path(scope: dict[str, Any], name: str) -> None:
    assert await culprit_of_one(scope) == name


async def test_a_path_of_any_length_takes_little_room_in_the_log() -> None:
    assert len(await culprit_of_one({"type": "http", "method": "GET", "path": "/" + "a" * 10_000})) < 250


async def test_it_is_nobodys_beyond_the_request() -> None:
    await culprit_of_one({"type": "http", "method": "GET", "path": "/"})
    assert culprit_of(copy_context(), None, callback="nobody").name == "callback nobody"
