"""What is measured of history."""

import sys
from dataclasses import replace

import pytest

from benchmarks import recorded
from benchmarks.case import Target
from benchmarks.runner import sample


def test_a_child_records_every_run_and_watches_the_loop_meanwhile() -> None:
    case = replace(recorded.cases(quick=True)[1], arguments=("sqlite", "summary", "50"), venv=sys.prefix)

    figures = sample(case)

    assert figures["runs_per_s"] > 0
    assert 0 < figures["loop_stall_p99_ms"] <= figures["loop_stall_worst_ms"]
    assert figures["cpu_per_run_us"] > 0


@pytest.mark.parametrize("target", recorded.TARGETS, ids=lambda target: target.words)
def test_a_target_is_about_something_that_is_measured(target: Target) -> None:
    measured = {(case.workload, case.size, case.system) for case in recorded.cases(quick=False)}

    assert {(target.workload, target.size, system) for system in (target.ours, target.than) if system} <= measured
