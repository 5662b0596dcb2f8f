"""Signals beyond the first SIGTERM, and what the autoreloader does to the scheduler."""

import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, Site, StartSite
from tests.support.servers import DAPHNE, RUNSERVER, RUNSERVER_RELOADING, UVICORN, Kind

pytestmark = pytest.mark.e2e

LONG = "30"  # seconds of grace, which nobody wants to wait for
AT_ONCE = 5.0  # seconds, on a machine that is busy with others


def _at_work(start: StartSite, kind: Kind) -> Site:
    site = start(kind, "never_finishes", "ignores_stopping", E2E_GRACE=LONG)
    site.server.wait_until(lambda: site.ledger("never_finishes") and site.ledger("ignores_stopping"))
    return site


def _seconds_to_exit(site: Site) -> float:
    began = time.monotonic()
    site.server.exit_code()
    return time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("kind", [DAPHNE, RUNSERVER], ids=lambda kind: kind.name)
def test_a_second_signal_ends_the_drain_at_once_and_records_what_it_cut_off(
    start: StartSite, kind: Kind, number: signal.Signals
) -> None:
    site = _at_work(start, kind)
    site.server.send(number)
    site.server.wait_until_logged("Killed 0 pending application instances")
    site.server.send(number)
    assert _seconds_to_exit(site) < AT_ONCE
    assert site.server.exit_code() == 0
    assert site.runs("never_finishes") == [("cancelled", "cut off before it had finished")]
    assert site.runs("ignores_stopping") == [("cancelled", "cut off before it had finished")]
    assert site.server.leaks == []


def test_a_third_signal_ends_the_process_as_if_nobody_listened(start: StartSite) -> None:
    site = start(DAPHNE, "refuses_to_be_cancelled", E2E_GRACE=LONG)
    site.wait_for_notes("refuses_to_be_cancelled", event="began")
    site.server.send(signal.SIGTERM)
    site.server.wait_until_logged("Killed 0 pending application instances")
    site.server.send(signal.SIGTERM)
    site.wait_for_notes("refuses_to_be_cancelled", event="refused")
    site.server.send(signal.SIGTERM)
    assert _seconds_to_exit(site) < AT_ONCE
    assert site.server.exit_code() == -signal.SIGTERM


def test_uvicorn_that_is_forced_to_quit_is_not_held_up(start: StartSite) -> None:
    site = _at_work(start, UVICORN)
    site.server.wait_until_serving()
    threading.Thread(target=_ask_in_vain, args=[site], daemon=True).start()
    site.server.wait_until_logged("a client waits")
    site.server.send(signal.SIGINT)
    site.server.wait_until_logged("Waiting for connections")  # for the client, from Python 3.12 on even when forced
    site.server.send(signal.SIGINT)
    assert _seconds_to_exit(site) < AT_ONCE
    assert "refuses to be cancelled" not in site.server.log
    # Django drops the body of the request that is cut off; of ours nothing is lost.
    assert [line for line in site.server.leaks if "ResourceWarning" not in line] == []


def _ask_in_vain(site: Site) -> None:
    with suppress(OSError):  # however the connection ends
        site.server.get("/never", timeout=2)


def test_a_reload_drains_the_old_scheduler_and_starts_a_new_one(start: StartSite, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    site = start(RUNSERVER_RELOADING, "tick", "tick_sync", "looks_at_stopping", project=str(project))
    site.wait_for_notes("tick", count=3)
    assert site.server.get().status == 200
    site.server.wait_until(lambda: site.ledger("looks_at_stopping"))
    old = {line["process"] for line in site.ledger()}
    assert len(old) == 1
    assert site.server.process.pid not in old  # the parent, which only watches the files

    tasks = project / "ticking" / "tasks.py"
    tasks.write_text(tasks.read_text() + "\n# changed\n")
    site.server.wait_until_logged("asyncsched.supervisor: started", times=2)
    site.server.wait_until(lambda: {line["process"] for line in site.ledger("tick")} - old)
    assert site.server.log.count("asyncsched.supervisor: drained in") == 1
    assert site.runs("looks_at_stopping")[0] == ("succeeded", "")
    _assert_one_after_the_other(site, old)
    assert site.server.leaks == []
    site.server.send_to_all(signal.SIGINT)
    assert site.server.exit_code() == 0


def _assert_one_after_the_other(site: Site, old: set[int]) -> None:
    ticks = site.ledger("tick", "tick_sync")
    last = max(line["at"] for line in ticks if line["process"] in old)
    first = min(line["at"] for line in ticks if line["process"] not in old)
    assert last < first


def test_the_autoreloader_ends_when_it_is_told_to(start: StartSite) -> None:
    site = start(RUNSERVER_RELOADING)
    site.wait_for_notes("tick")
    assert site.server.stop(signal.SIGTERM) == 0
