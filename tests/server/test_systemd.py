"""What a service manager is told, and by which way."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from asyncsched.server.systemd import Systemd
from tests.support.deadline import eventually
from tests.support.systemd import Manager


@pytest.mark.parametrize("is_abstract", [False, True], ids=["path", "abstract"])
async def test_the_manager_hears_that_the_process_serves_and_that_it_stops(tmp_path: Path, is_abstract: bool) -> None:
    address = f"@asyncsched-tests-{os.getpid()}" if is_abstract else tmp_path / "notify"
    with Manager(address) as manager:
        systemd = Systemd(manager.environment)
        systemd.ready("schedules 3 tasks")
        systemd.stopping("lets runs finish")
        systemd.stopped()
        await eventually(lambda: len(manager.heard) == 2)
    assert manager.lines() == ["READY=1", "STATUS=schedules 3 tasks", "STOPPING=1", "STATUS=lets runs finish"]


async def test_signs_of_life_come_twice_as_often_as_they_must_and_end_with_the_process(tmp_path: Path) -> None:
    with Manager(tmp_path / "notify", watchdog=0.2) as manager:
        systemd = Systemd(manager.environment)
        systemd.ready("")
        began = asyncio.get_running_loop().time()
        await eventually(lambda: len(manager.lines("WATCHDOG=1")) >= 4)
        assert asyncio.get_running_loop().time() - began >= 3 * 0.1 - 0.01
        systemd.stopped()
        await asyncio.sleep(0)
        assert [task for task in asyncio.all_tasks() if "watchdog" in task.get_name()] == []


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"},
    ],
    ids=["not asked", "zero", "nonsense", "another process"],
)
async def test_who_is_not_asked_for_signs_of_life_gives_none(tmp_path: Path, environment: Mapping[str, str]) -> None:
    with Manager(tmp_path / "notify") as manager:
        Systemd({**manager.environment, **environment}).ready("")
        await eventually(lambda: manager.heard)
        assert [task for task in asyncio.all_tasks() if "watchdog" in task.get_name()] == []
    assert manager.lines("WATCHDOG") == []


async def test_without_a_manager_nothing_happens() -> None:
    systemd = Systemd({"WATCHDOG_USEC": "200000"})
    systemd.ready("")
    systemd.stopping("")
    systemd.stopped()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_manager_that_has_gone_is_told_of_once_and_nothing_breaks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    systemd = Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    systemd.ready("")
    systemd.stopping("")
    (record,) = caplog.records
    assert record.getMessage().startswith("systemd cannot be told how this process fares: ")


async def test_a_manager_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
        full.bind(str(tmp_path / "full"))
        systemd = Systemd({"NOTIFY_SOCKET": str(tmp_path / "full")})
        for _ in range(2_000):
            systemd.stopping("x" * 100)
