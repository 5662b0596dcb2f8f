"""What becomes of requests while the scheduler starts."""

import asyncio
from typing import Any

import pytest

from asyncsched.server import SchedulerLifespan


class Recorder:
    """An application that remembers which paths it was asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])
        assert "asyncsched" in scope


async def request(application: SchedulerLifespan, path: str) -> None:
    await application({"type": "http", "path": path}, None, None)  # type: ignore[arg-type]


async def test_requests_are_held_until_the_start_is_through() -> None:
    recorder = Recorder()
    application = SchedulerLifespan(recorder)
    application._host.announce()
    held = asyncio.create_task(request(application, "/"))
    await asyncio.sleep(0)
    assert recorder.paths == []
    application._host._started.set()
    await held
    assert recorder.paths == ["/"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/prefix/readyz"])
async def test_probes_are_answered_meanwhile(path: str) -> None:
    recorder = Recorder()
    application = SchedulerLifespan(recorder)
    application._host.announce()
    await request(application, path)
    assert recorder.paths == [path]


async def test_without_a_server_that_starts_it_requests_pass(caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()
    application = SchedulerLifespan(recorder)
    for _ in range(3):
        await request(application, "/")
    assert recorder.paths == ["/"] * 3
    assert [record.action for record in caplog.records] == ["no_lifespan"]


async def test_what_has_no_path_is_passed_on_as_well() -> None:
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope["type"])

    await SchedulerLifespan(application)({"type": "channel"}, None, None)  # type: ignore[arg-type] # manage.py runworker
    assert scopes == ["channel"]
