"""What is measured of a home in which nothing happens."""

import sys
from dataclasses import replace
from itertools import islice

import pytest
import time_machine

from benchmarks import idle
from benchmarks.case import Target
from benchmarks.idle.home import Due
from benchmarks.idle.meter import Reading, figures
from benchmarks.runner import sample


def test_a_child_tells_what_the_whole_product_costs_while_it_idles() -> None:
    case = replace(idle.cases(quick=True)[1], arguments=("ours", "0.1", "0.3", "sqlite"), venv=sys.prefix)

    found = sample(case)

    assert found["cpu_s_per_hour"] > 0
    assert found["threads"] > 1
    assert {"context_switches_per_hour", "loop_wakeups_per_minute", "db_reads_per_minute"} <= found.keys()


def test_what_happened_between_two_readings_is_told_by_the_hour_and_by_the_minute() -> None:
    before = Reading(at=10.0, cpu=1.0, switches=5, wakeups=7, reads=1, writes=0)
    after = Reading(at=40.0, cpu=1.5, switches=15, wakeups=27, reads=4, writes=1)

    found = figures(before, after)

    assert (found["cpu_s_per_hour"], found["context_switches_per_hour"]) == (60, 1200)
    assert (found["loop_wakeups_per_minute"], found["db_reads_per_minute"], found["db_writes_per_minute"]) == (40, 6, 2)


def test_a_task_is_due_at_the_same_moments_in_every_system() -> None:
    with time_machine.travel(3601.0, tick=False):
        assert list(islice(Due(name="status", period=2).moments(), 3)) == [3602, 3604, 3606]
        assert list(islice(Due(name="daily", period=86_400, offset=7200).moments(), 2)) == [7200, 93_600]


@pytest.mark.parametrize("target", idle.TARGETS, ids=lambda target: target.words)
def test_a_target_is_about_something_that_is_measured(target: Target) -> None:
    measured = {(case.workload, case.size, case.system) for case in idle.cases(quick=True)}

    assert {(target.workload, target.size, system) for system in (target.ours, target.than) if system} <= measured
