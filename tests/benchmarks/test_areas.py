"""What the areas of benchmarks promise the runner."""

from importlib import import_module

import pytest

from benchmarks.__main__ import AREAS

MODULES = [import_module(f"benchmarks.{area}") for area in AREAS]


@pytest.mark.parametrize("module", MODULES, ids=AREAS)
def test_every_target_is_about_something_that_is_measured(module):
    measured = {(case.workload, case.size, case.system) for case in module.cases(quick=False)}
    wanted = {
        (target.workload, target.size, system)
        for target in module.TARGETS
        for system in (target.ours, target.than)
        if system is not None
    }
    assert wanted <= measured


@pytest.mark.parametrize("module", MODULES, ids=AREAS)
def test_no_case_is_there_twice(module):
    keys = [(case.workload, case.size, case.system) for case in module.cases(quick=False)]
    assert len(keys) == len(set(keys))


def test_no_two_areas_call_a_workload_the_same():
    named = [workload for module in MODULES for workload in {case.workload for case in module.cases(quick=False)}]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("module", MODULES, ids=AREAS)
def test_a_quick_run_is_a_part_of_the_whole(module):
    assert 0 < len(module.cases(quick=True)) <= len(module.cases(quick=False))
