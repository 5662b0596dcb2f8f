"""One server with tasks that do harm in every way they can, and nine that must not notice."""

import math
import re
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.conftest import Site, StartSite
from tests.support.servers import DAPHNE

pytestmark = pytest.mark.e2e

HEALTHY = tuple(f"healthy {number}" for number in range(1, 10))
HARMFUL = ("raises", "exits", "exits_sync", "hangs", "blocks_thread", "cancels_itself")
SECONDS = 6
LATE = 0.25
PATIENT = 0.5  # seconds a client may wait for a page that takes a millisecond


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Some seconds in the life of a server with harmful tasks."""

    site: Site
    began: float
    ended: float
    answers: list[tuple[int, float]]
    """Status of each request, and the seconds it took."""
    state: dict[str, Any]
    exit_code: int


@pytest.fixture(scope="module")
def observation(start: StartSite) -> Observation:
    """Let the tasks run for a while, and ask for a page again and again meanwhile."""
    site = start(DAPHNE, *HEALTHY, *HARMFUL)
    for task in HEALTHY + HARMFUL:
        site.server.wait_until(lambda task=task: site.ledger(task))
    began = time.time()
    answers = []
    while (asked := time.time()) < began + SECONDS:
        answers.append((site.server.get().status, time.time() - asked))
        # Requests at a steady pace: they are part of what is observed, nothing is waited for.
        time.sleep(max(0.0, asked + 0.1 - time.time()))
    state = site.state()
    return Observation(
        site=site, began=began, ended=time.time(), answers=answers, state=state, exit_code=site.server.stop()
    )


def nearly_all(values: Iterable[float]) -> float:
    """Return what nine of ten *values* are not above: now and then a machine that is busy with others stands still."""
    return statistics.quantiles(values, n=10, method="inclusive")[-1]


def test_each_of_the_nine_others_runs_once_at_every_occurrence_but_one_that_is_said_to_be_skipped(
    observation: Observation,
) -> None:
    for position, task in enumerate(HEALTHY):
        offset = position / len(HEALTHY)
        first, last = math.ceil(observation.began - offset), math.floor(observation.ended - LATE - offset)
        ran = [round(line["due"] - offset) for line in observation.site.ledger(task)]
        assert ran == sorted(set(ran)), task
        missed = set(range(first, last + 1)) - set(ran)
        told = re.findall(rf"asyncsched.runs: {task}: (\d+) skipped \(coalesced\)", observation.site.server.log)
        assert len(missed) <= min(1, sum(map(int, told))), task


def test_none_of_them_is_late(observation: Observation) -> None:
    for task in HEALTHY:
        lateness = [line["at"] - line["due"] for line in observation.site.ledger(task)]
        assert nearly_all(lateness) < LATE, task


def test_requests_are_answered_meanwhile(observation: Observation) -> None:
    assert {status for status, _ in observation.answers} == {200}
    assert nearly_all(seconds for _, seconds in observation.answers) < PATIENT


def test_a_task_that_raises_goes_on_being_tried(observation: Observation) -> None:
    assert len(observation.site.ledger("raises")) >= 2 * SECONDS - 2
    assert set(observation.site.runs("raises")) == {("failed", "LookupError: nothing there")}


@pytest.mark.parametrize("task", ["exits", "exits_sync"])
def test_a_task_cannot_end_the_server(observation: Observation, task: str) -> None:
    assert len(observation.site.ledger(task)) >= SECONDS - 2
    assert {status for status, _ in observation.site.runs(task)} == {"failed"}
    assert observation.exit_code == 0


def test_a_task_that_hangs_is_ended_at_its_timeout_each_time(observation: Observation) -> None:
    assert len(observation.site.ledger("hangs")) >= SECONDS // 2 - 2
    assert set(observation.site.runs("hangs")) == {("timed_out", "did not finish within 1 s")}


def test_a_task_that_blocks_its_thread_for_good_costs_that_one_thread(observation: Observation) -> None:
    assert len(observation.site.ledger("blocks_thread")) == 1
    statuses = [status for status, _ in observation.site.runs("blocks_thread")]
    assert statuses[:2] == ["timed_out", "failed"]
    assert "StillRunning" in observation.site.runs("blocks_thread")[1][1]


def test_a_task_that_kills_its_own_coroutine_is_restarted_and_quarantined_if_it_keeps_on(
    observation: Observation,
) -> None:
    assert len(observation.site.ledger("cancels_itself")) >= 3
    assert observation.site.server.log.count("cancels_itself: its coroutine ended (CancelledError); restarted") >= 2
    assert set(observation.site.runs("cancels_itself")) == {("failed", "the task cancelled its own coroutine")}


def test_the_harmful_ones_show_as_failing(observation: Observation) -> None:
    assert observation.state["health"]["failing"] == len(HARMFUL)


def test_the_log_says_it_without_filling_the_disk(observation: Observation) -> None:
    log = observation.site.server.log
    assert 1 <= log.count("ERROR   asyncsched.runs: raises: failed") <= 6  # the 1st, 2nd, 4th, 8th, ... in a row
    assert log.count("raises: failed: LookupError: nothing there\nTraceback") == 1
    assert observation.site.server.leaks == []
