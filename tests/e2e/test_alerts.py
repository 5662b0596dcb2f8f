"""Real processes: the one that leads hangs, another raises the alert, and nobody does so again."""

import json
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeSite
from tests.support.postgres import Postgres
from tests.support.servers import DAPHNE

pytestmark = pytest.mark.e2e

TASK = "fails_while_told_to"
RAISED = f"ERROR   asyncsched.alerts: {TASK} has not succeeded in time"
OVERDUE = f'asyncsched_overdue{{task="{TASK}"}} 1.0'
ENDED = f"asyncsched.alerts: {TASK} has succeeded again"


def test_when_the_leader_is_frozen_another_process_raises_the_alert_once(
    make_site: MakeSite, postgres: Postgres, postgres_template: str, tmp_path: Path
) -> None:
    environment = {
        "DATABASE_URL": postgres.create_database("alerts", template=postgres_template),
        "E2E_LEDGER": str(tmp_path / "ledger"),
        "E2E_ASYNCSCHED": json.dumps({"LEASE_SECONDS": 2}),
    }
    leader, other = make_site(DAPHNE, TASK, **environment), make_site(DAPHNE, TASK, **environment)
    leader.server.start()
    leader.server.wait_until(lambda: leader.last_status(TASK) == "succeeded")
    other.server.start()
    other.server.wait_until(lambda: other.query("SELECT count(*) FROM asyncsched_replica") == [(2,)])

    leader.server.send(signal.SIGSTOP)
    fail = tmp_path / "ledger.fail"
    fail.touch()
    other.server.wait_until_logged(RAISED)
    other.server.wait_until(lambda: OVERDUE in other.server.get("/metrics").body)
    leader.server.send(signal.SIGCONT)
    fail.unlink()
    other.server.wait_until(lambda: ENDED in leader.server.log + other.server.log)
    assert other.server.stop() == leader.server.stop() == 0

    log = leader.server.log + other.server.log
    assert (log.count(RAISED), log.count(ENDED)) == (1, 1)
    assert leader.server.leaks == other.server.leaks == []
