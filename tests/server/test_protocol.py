"""The ASGI lifespan protocol, message by message."""

from collections.abc import Iterable
from typing import Any

from asyncsched.server import SchedulerLifespan
from asyncsched.server.host import State


async def live(application: SchedulerLifespan, scope: dict[str, Any], events: Iterable[str]) -> list[dict[str, Any]]:
    """Send *events* of the lifespan and return the answers."""
    coming, answers = iter(events), []

    async def receive() -> dict[str, Any]:
        return {"type": next(coming)}

    async def send(message: Any) -> None:
        answers.append(message)

    await application(scope, receive, send)
    return answers


async def inner(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("the wrapped application never sees lifespan events")


async def test_start_and_stop_are_each_answered_once(settings: Any) -> None:
    settings.ASYNCSCHED = {"ENABLED": False}
    scope: dict[str, Any] = {"type": "lifespan", "state": {}}
    answers = await live(SchedulerLifespan(inner), scope, ["lifespan.startup", "lifespan.shutdown"])
    assert answers == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    assert scope["state"]["asyncsched"].state is State.DISABLED


async def test_a_server_without_lifespan_state_is_served_as_well(settings: Any) -> None:
    settings.ASYNCSCHED = {"ENABLED": False}
    answers = await live(SchedulerLifespan(inner), {"type": "lifespan"}, ["lifespan.startup", "lifespan.shutdown"])
    assert [answer["type"] for answer in answers] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_start_that_fails_is_answered_with_the_reason(settings: Any) -> None:
    settings.ASYNCSCHED = {"THREAD": 4}
    (answer,) = await live(SchedulerLifespan(inner), {"type": "lifespan"}, ["lifespan.startup"])
    assert answer["type"] == "lifespan.startup.failed"
    assert "did you mean 'THREADS'" in answer["message"]
