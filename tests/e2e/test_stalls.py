"""What blocks the event loop of a real server is named in its log."""

import re
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, Site, StartSite
from tests.support.servers import DAPHNE, UVICORN, Kind

pytestmark = pytest.mark.e2e

STALLED = re.compile(r"WARNING asyncsched\.stalls: the event loop stood still for ([\d.]+) s: (.*) at (.*)")


@pytest.fixture(scope="module", params=[DAPHNE, UVICORN], ids=lambda kind: kind.name)
def site(request: pytest.FixtureRequest, start: StartSite) -> Site:
    """A server one of whose tasks has blocked the loop for three seconds, and then one of its pages."""
    kind: Kind = request.param
    site = start(kind, "tick", "blocks_loop")
    site.server.wait_until(lambda: site.ledger("blocks_loop", event="ended"))
    assert site.server.get("/slow?token=secret").status == 200
    site.server.wait_until(lambda: len(stalls(site)) == 2)
    site.wait_for_notes("tick")
    site.metrics = site.server.get("/metrics").body  # before a test stops the server
    return site


def is_about(measured: float, seconds: float) -> bool:
    """True if a stall of *seconds* may be measured so: hardly less, and more on a machine that is busy with others."""
    return seconds - 0.3 < measured < seconds + 3


def stalls(site: Site) -> list[tuple[float, str, str]]:
    return [(float(seconds), who, where) for seconds, who, where in STALLED.findall(site.server.log)]


def line_of(file: str, text: str) -> int:
    lines = (Path(PROJECT) / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_a_task_that_blocks_the_loop_is_named_with_file_and_line(site: Site) -> None:
    (seconds, who, where), _ = stalls(site)
    assert (who, where) == (
        "task blocks_loop",
        f"ticking/tasks.py:{line_of('ticking/tasks.py', 'sleep(3)')} (blocks_loop)",
    )
    assert is_about(seconds, 3)
    assert "    time.sleep(3)" in site.server.log


def test_a_page_that_blocks_the_loop_is_named_with_file_and_line(site: Site) -> None:
    _, (seconds, who, where) = stalls(site)
    assert (who, where) == ("request GET /slow", f"urls.py:{line_of('urls.py', 'sleep(0.6)')} (slow)")
    assert is_about(seconds, 0.6)


def test_its_query_is_nobodys_business(site: Site) -> None:
    lines = [line for line in site.server.log.splitlines() if "asyncsched" in line]
    assert not [line for line in lines if "secret" in line]


def test_what_others_missed_meanwhile_is_one_line_with_number_and_lateness(site: Site) -> None:
    missed = re.findall(r"asyncsched\.runs: tick: (\d+) skipped \(coalesced\), up to ([\d.]+) s late", site.server.log)
    ((count, late),) = [(int(count), float(late)) for count, late in missed if float(late) > 2]  # others are shorter
    assert count >= 4
    assert is_about(late, 2.6)  # the first that was missed was due up to half a second after the beginning


def test_history_keeps_it_with_the_run(site: Site) -> None:
    with closing(sqlite3.connect(site.database, timeout=10)) as connection:
        query = "SELECT stall_seconds, stall_where FROM asyncsched_taskrun WHERE task = 'blocks_loop'"
        site.server.wait_until(lambda: connection.execute(query).fetchall())
        ((seconds, where),) = connection.execute(query).fetchall()
    assert is_about(seconds, 3)
    assert where.startswith("ticking/tasks.py:")


def test_metrics_count_it_by_the_task_and_a_page_by_no_name(site: Site) -> None:
    sums = dict(re.findall(r'^asyncsched_loop_stall_seconds_sum{task="(\w*)"} ([\d.]+)$', site.metrics, re.MULTILINE))
    assert is_about(float(sums["blocks_loop"]), 3)
    assert is_about(float(sums[""]), 0.6)
    assert float(sums["tick"]) == 0


def test_a_process_that_was_stopped_blames_nobody_and_still_ends_well(site: Site) -> None:
    before = stalls(site)
    site.server.send(signal.SIGSTOP)
    site.server.wait_until(lambda: "State:\tT" in Path(f"/proc/{site.server.process.pid}/status").read_text())
    time.sleep(1.5)  # this is the time for which it is stopped
    site.server.send(signal.SIGCONT)
    site.wait_for_notes("tick", count=2)
    assert stalls(site) == before
    assert site.server.stop() in site.server.kind.exit_codes
    assert site.server.leaks == []
