"""Signals beyond the first SIGTERM, and what the autoreloader does to the scheduler."""

import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, Site, StartSite
from tests.support.servers import (
    DAPHNE,
    GRANIAN,
    HYPERCORN,
    HYPERCORN_ALONE,
    RUNSERVER,
    RUNSERVER_RELOADING,
    UVICORN,
    Kind,
)

pytestmark = pytest.mark.e2e

AT_WORK = ("never_finishes", "ignores_stopping", "notices_the_drain")
LONG = "30"  # seconds of grace, which nobody wants to wait for
AT_ONCE = 15.0  # seconds, on a machine that is busy with others; alone it takes 0.1, and 2.2 for what refuses to end


def _at_work(start: StartSite, kind: Kind) -> Site:
    site = start(kind, *AT_WORK, E2E_GRACE=LONG)
    site.server.wait_until(lambda: all(site.ledger(task) for task in AT_WORK))
    site.server.wait_until_serving()
    return site


def _seconds_to_exit(site: Site) -> float:
    began = time.monotonic()
    site.server.exit_code()
    return time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("kind", [DAPHNE, RUNSERVER, UVICORN, HYPERCORN_ALONE], ids=lambda kind: kind.name)
def test_a_second_signal_ends_the_drain_at_once_and_records_what_it_cut_off(
    start: StartSite, kind: Kind, number: signal.Signals
) -> None:
    site = _at_work(start, kind)
    site.server.send(number)
    site.wait_until_it_drains()
    site.server.send(number)
    _assert_it_ends_at_once_and_records_what_it_cut_off(site)
    assert not site.server.leaves_a_process


@pytest.mark.parametrize("kind", [HYPERCORN, GRANIAN], ids=lambda kind: kind.name)
def test_servers_with_workers_end_at_once_when_all_their_processes_get_a_second_signal(
    start: StartSite, kind: Kind
) -> None:
    site = _at_work(start, kind)
    site.server.send_to_all(signal.SIGINT)
    site.wait_until_it_drains()
    site.server.send_to_all(signal.SIGINT)
    _assert_it_ends_at_once_and_records_what_it_cut_off(site)


def _assert_it_ends_at_once_and_records_what_it_cut_off(site: Site) -> None:
    assert _seconds_to_exit(site) < AT_ONCE
    assert site.server.exit_code() in site.server.kind.exit_codes
    assert site.runs("never_finishes") == [("cancelled", "cut off before it had finished")]
    assert site.runs("ignores_stopping") == [("cancelled", "cut off before it had finished")]
    assert site.server.leaks == []


@pytest.mark.parametrize("kind", [DAPHNE, UVICORN], ids=lambda kind: kind.name)
def test_a_second_signal_does_not_wait_for_a_coroutine_that_refuses_to_be_cancelled(
    start: StartSite, kind: Kind
) -> None:
    tasks = ("refuses_to_be_cancelled", "never_finishes", "notices_the_drain")
    site = start(kind, *tasks, E2E_GRACE=LONG)
    site.server.wait_until(lambda: all(site.ledger(task) for task in tasks))
    site.server.send(signal.SIGTERM)
    site.wait_until_it_drains()
    site.server.send(signal.SIGTERM)
    assert _seconds_to_exit(site) < AT_ONCE
    assert site.server.exit_code() in kind.exit_codes
    assert site.runs("never_finishes") == [("cancelled", "cut off before it had finished")]
    assert not site.server.leaves_a_process


def test_a_second_signal_does_not_wait_for_a_database_that_is_locked(start: StartSite) -> None:
    site = _at_work(start, DAPHNE)
    with site.locked():
        site.server.send(signal.SIGTERM)
        site.wait_until_it_drains()
        site.server.send(signal.SIGTERM)
        assert _seconds_to_exit(site) < AT_ONCE
        assert site.server.exit_code() == 0
    assert "it is lost" in site.server.log
    assert [status for status, _ in site.runs("never_finishes")] == ["running"]
    assert site.server.leaks == []


def test_a_third_signal_ends_the_process_as_if_nobody_listened(start: StartSite) -> None:
    site = start(DAPHNE, "refuses_to_be_cancelled", "notices_the_drain", E2E_GRACE=LONG)
    site.server.wait_until(lambda: site.ledger("refuses_to_be_cancelled") and site.ledger("notices_the_drain"))
    site.server.send(signal.SIGTERM)
    site.wait_until_it_drains()
    site.server.send(signal.SIGTERM)
    site.wait_for_notes("refuses_to_be_cancelled", event="refused")
    site.server.send(signal.SIGTERM)
    assert _seconds_to_exit(site) < AT_ONCE
    assert site.server.exit_code() == -signal.SIGTERM


def test_uvicorn_that_is_forced_to_quit_is_not_held_up(start: StartSite) -> None:
    site = _at_work(start, UVICORN)
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
