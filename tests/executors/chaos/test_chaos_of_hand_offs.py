"""Servers, workers and broker broken for some seconds: the long run in short form, judged by the same checker."""

import os
from pathlib import Path

import pytest

from tests.executors.chaos.checker import check
from tests.executors.chaos.harness import Chaos, Scenario

SEED = int(os.environ.get("CHAOS_SEED", "11"))


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_no_run_that_is_handed_off_begins_twice_or_ends_otherwise_than_history_says(tmp_path: Path) -> None:
    chaos = Chaos(Scenario(seed=SEED, seconds=4.0, longest=1.5, heals_within=60.0), tmp_path)
    evidence = chaos.run()
    assert check(evidence) == [], "\n".join([f"with CHAOS_SEED={SEED}:", *chaos.deeds])
    assert chaos.deeds
