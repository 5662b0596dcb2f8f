"""A process that is killed in the middle of a run, and what the next one makes of it."""

import json
import signal

import pytest

from tests.e2e.conftest import Site, StartSite
from tests.support.servers import DAPHNE

pytestmark = pytest.mark.e2e

TASK = "dies_and_is_run_again"


def attempts(site: Site) -> list[str]:
    """Return what the runs of the first occurrence noted."""
    lines = site.ledger(TASK)
    return [line["event"] for line in lines if line["due"] == lines[0]["due"]]


def test_what_it_was_running_is_abandoned_and_run_again_by_the_leader_of_the_next_term(start: StartSite) -> None:
    site = start(DAPHNE, TASK, E2E_ASYNCSCHED=json.dumps({"LEASE_SECONDS": 2}))
    site.server.wait_until(lambda: attempts(site) == ["attempt 1 in term 1"])
    site.server.kill()
    assert site.server.process.returncode == -signal.SIGKILL
    site.server.start()
    site.server.wait_until(lambda: len(attempts(site)) == 2, timeout=60)
    assert attempts(site) == ["attempt 1 in term 1", "attempt 2 in term 2"]
    assert site.server.stop() == 0
    assert ("abandoned", "its process ended without a word") in site.runs(TASK)
