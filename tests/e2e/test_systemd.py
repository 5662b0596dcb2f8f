"""A real server under a service manager: it says when it serves, that it lives, and that it stops."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeSite
from tests.support.servers import DAPHNE, UVICORN, Kind
from tests.support.systemd import Manager

pytestmark = pytest.mark.e2e

BLOCKED = 3.0  # seconds, by the task blocks_loop


def test_the_manager_hears_nothing_from_a_blocked_loop(make_site: MakeSite, tmp_path: Path) -> None:
    with Manager(tmp_path / "notify", watchdog=0.4) as manager:
        site = make_site(DAPHNE, "tick", "blocks_loop", **manager.environment)
        site.server.start()
        site.wait_for_notes("blocks_loop", event="ended")
        after = len(manager.moments("WATCHDOG=1"))
        site.server.wait_until(lambda: len(manager.moments("WATCHDOG=1")) > after + 1)
        site.server.stop()
        gaps = [later - earlier for earlier, later in pairwise(manager.moments("WATCHDOG=1"))]

    assert max(gaps) >= BLOCKED * 0.9
    assert sorted(gaps)[len(gaps) // 2] < BLOCKED / 2


@pytest.mark.parametrize("kind", [DAPHNE, UVICORN], ids=lambda kind: kind.name)
def test_the_manager_hears_when_the_server_is_ready_and_when_it_stops(
    make_site: MakeSite, tmp_path: Path, kind: Kind
) -> None:
    with Manager(tmp_path / "notify", watchdog=60) as manager:
        site = make_site(kind, "tick", **manager.environment)
        site.server.start()
        site.server.wait_until(lambda: manager.lines("READY=1"))
        site.server.wait_until_serving()
        assert site.server.stop() in kind.exit_codes
        lines = manager.lines()

    assert lines == ["READY=1", "STATUS=up, with 2 tasks", "WATCHDOG=1", "STOPPING=1", "STATUS=lets runs finish"]
    assert site.server.leaks == []
