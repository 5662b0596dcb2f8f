"""One life under each server: started, ticking, answering, told to stop while tasks are at work."""

import signal
import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conftest import Site, StartSite
from tests.support.servers import DAPHNE, GRANIAN, HYPERCORN, RUNSERVER, UVICORN, Kind, Response

pytestmark = pytest.mark.e2e

GRACE = 3.0
OVERHEAD = 15.0  # seconds a server may take by itself, on a machine that is busy with others
SERVERS = (DAPHNE, RUNSERVER, UVICORN, HYPERCORN, GRANIAN)
AT_WORK = ("finishes_in_time", "never_finishes", "never_finishes_often", "looks_at_stopping", "ignores_stopping")
TICKING = ("tick", "tick_sync", "asks_database", "asks_database_sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What was seen of a server from its start to its end."""

    site: Site
    greeting: Response
    state: dict[str, Any]
    exit_code: int
    seconds_to_exit: float


@pytest.fixture(scope="module")
def lives(start: StartSite) -> dict[str, Life]:
    """Let all servers live at the same time, and return what became of each."""
    sites = [start(kind, *TICKING, *AT_WORK, E2E_GRACE=str(GRACE)) for kind in SERVERS]
    greetings, states = [], []
    for site in sites:
        site.server.wait_until_serving()
        for task in TICKING:
            site.server.wait_until(lambda site=site, task=task: len(site.ledger(task)) >= 3)
        for task in AT_WORK:
            site.server.wait_until(lambda site=site, task=task: site.ledger(task))
        greetings.append(site.server.get())
        states.append(site.state())
    began = time.monotonic()
    for site in sites:
        site.server.send(signal.SIGTERM)
    ended = [(site.server.exit_code(), time.monotonic() - began) for site in sites]
    return {
        site.server.kind.name: Life(
            site=site, greeting=greeting, state=state, exit_code=exit_code, seconds_to_exit=seconds
        )
        for site, greeting, state, (exit_code, seconds) in zip(sites, greetings, states, ended, strict=True)
    }


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def life(lives: dict[str, Life], kind: Kind) -> Life:
    return lives[kind.name]


def test_the_scheduler_runs_while_requests_are_answered(life: Life) -> None:
    assert life.greeting == Response(status=200, body="hello")
    assert (life.state["state"], life.state["health"]["tasks"]) == ("running", len(TICKING + AT_WORK))


def test_it_is_one_process_that_ticks(life: Life) -> None:
    assert len({line["process"] for line in life.site.ledger()}) == 1


def test_no_occurrence_runs_twice(life: Life) -> None:
    for task in TICKING:
        due = [line["due"] for line in life.site.ledger(task)]
        assert due == sorted(set(due))


def test_sigterm_ends_it_with_the_exit_code_of_that_server(life: Life, kind: Kind) -> None:
    assert life.exit_code in kind.exit_codes


def test_it_ends_within_the_grace(life: Life) -> None:
    assert life.seconds_to_exit < GRACE + OVERHEAD


def test_no_process_of_it_is_left_over(life: Life) -> None:
    assert not life.site.server.leaves_a_process


def test_an_async_task_at_work_is_given_the_time(life: Life) -> None:
    assert [line["event"] for line in life.site.ledger("finishes_in_time")] == ["began", "finished"]
    assert life.site.runs("finishes_in_time") == [("succeeded", "")]


def test_an_async_task_that_takes_longer_is_cancelled_and_recorded_so(life: Life) -> None:
    assert [line["event"] for line in life.site.ledger("never_finishes")] == ["began", "cut off"]
    assert life.site.runs("never_finishes") == [("cancelled", "cut off before it had finished")]


def test_what_was_cut_off_has_a_row_even_if_only_failures_are_kept(life: Life) -> None:
    assert life.site.runs("never_finishes_often") == [("cancelled", "cut off before it had finished")]


def test_a_sync_task_sees_that_it_should_stop(life: Life) -> None:
    assert [line["event"] for line in life.site.ledger("looks_at_stopping")] == ["began", "saw it"]
    assert life.site.runs("looks_at_stopping") == [("succeeded", "")]


def test_a_sync_task_that_does_not_care_is_left_behind_and_recorded_as_cut_off(life: Life) -> None:
    assert life.site.runs("ignores_stopping") == [("cancelled", "cut off before it had finished")]


def test_the_runs_of_the_last_moment_are_in_history(life: Life) -> None:
    noted = len(life.site.ledger("asks_database"))
    assert [status for status, _ in life.site.runs("asks_database")] == ["succeeded"] * noted


def test_nothing_runs_once_the_drain_has_begun(life: Life) -> None:
    finished_early = life.site.ledger("looks_at_stopping", event="saw it")[0]["at"]
    assert [line for line in life.site.ledger(*TICKING) if line["due"] > finished_early] == []


def test_the_log_tells_of_the_drain_and_of_nothing_lost(life: Life) -> None:
    assert life.site.server.log.count("asyncsched.supervisor: drained in") == 1
    assert life.site.server.leaks == []
    assert "Traceback" not in life.site.server.log
