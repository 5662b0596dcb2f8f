"""What the runner of the benchmarks makes of what its children say and of how they end."""

import sys

import pytest

from benchmarks import runner
from benchmarks.case import Case

HERE = sys.prefix  # the environment of the tests


def says(line: str, system: str = "one") -> Case:
    return case("tests.benchmarks.says", line, system=system)


def case(module: str, *arguments: str, system: str = "one", venv: str = HERE) -> Case:
    return Case(workload="talk", system=system, size=1, module=module, arguments=arguments, venv=venv)


def test_the_last_line_of_a_child_is_what_was_measured():
    assert runner.sample(says('warming up\n{"wait_ms": 1.5}')) == {"wait_ms": 1.5}


@pytest.mark.parametrize("line", ["done", '["wait_ms"]', '{"wait_ms": "1.5"}', '{"is_fast": true}'])
def test_a_last_line_that_is_no_object_of_numbers_is_a_failure(line):
    with pytest.raises(runner.Failed, match="its last line is no"):
        runner.sample(says(line))


def test_a_child_that_crashes_is_shown_by_the_last_line_of_its_traceback():
    with pytest.raises(runner.Failed, match="exit code 1: IndexError"):
        runner.sample(case("tests.benchmarks.says"))


def test_a_library_that_is_not_installed_is_no_failure():
    with pytest.raises(runner.Missing, match=r"the library benchmarks\.engine\.systems\.quartz is not installed"):
        runner.sample(case("benchmarks.engine.child", "quartz", "smoke", "1"))


def test_an_environment_that_was_never_made_is_no_failure():
    with pytest.raises(runner.Missing, match=r"there is no \.venv-of-nobody"):
        runner.sample(case("tests.benchmarks.says", venv=".venv-of-nobody"))


def test_a_child_that_takes_too_long_is_ended():
    with pytest.raises(runner.Failed, match="no figures after 0 s"):
        runner.sample(case("benchmarks.engine.child", "raw", "many", "1"), patience=0.01)


def test_systems_are_measured_in_turn_and_one_that_fails_only_once():
    turns = []
    group = [says('{"wait_ms": 1}', "first"), says("nothing", "broken"), says('{"wait_ms": 2}', "last")]

    taken = list(runner.measure("talk", group, 2, lambda case, repeat: turns.append((repeat, case.system))))

    assert turns == [(0, "first"), (0, "broken"), (0, "last"), (1, "first"), (1, "last")]
    assert [(one.system, len(one.samples), one.has_failed) for one in taken] == [
        ("first", 2, False),
        ("broken", 0, True),
        ("last", 2, False),
    ]


def test_this_scheduler_is_measured_by_a_child_of_its_own():
    figures = runner.sample(case("benchmarks.engine.child", "ours", "smoke", "10", "sqlite"))

    assert figures["cpu_per_run_us"] > 0
    assert figures["missed_percent"] < 100
