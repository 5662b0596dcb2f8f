"""What is measured of web requests and schedules in one process."""

import json
import os
import re
import subprocess
import sys

import pytest

from benchmarks import pages, web
from benchmarks.results import Measurement, Results
from tests.support.servers import ROOT


def figures_of(case):
    """Run the case's child with the Python of the tests; return what it says."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backend")])}
    command = [sys.executable, "-m", case.module, *case.arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.e2e
def test_a_child_says_what_a_jump_of_the_clock_costs():
    case = next(
        case
        for case in web.cases(quick=True)
        if case.workload == web.JUMP.format("every hour") and case.system == "asyncsched"
    )
    assert set(figures_of(case)) == {"cpu_per_task_us", "loop_stall_ms", "skips_recorded"}


@pytest.mark.parametrize("target", web.TARGETS, ids=lambda target: target.words)
def test_a_target_is_about_something_that_is_measured(target):
    measured = {(case.workload, case.size, case.system) for case in web.cases(quick=False)}
    assert {(target.workload, target.size, system) for system in (target.ours, target.than) if system} <= measured


def results(*samples, workload=web.TAKE_OVER):
    one = Measurement(
        area="web", workload=workload, system="asyncsched, SQLite", size=2, measured_on="2026-11-26", samples=samples
    )
    return Results(machine={}, measurements=[one])


class TestTablesOfThePage:
    def test_the_median_of_each_figure_is_in_the_row_of_its_system(self):
        found = results({"sigterm_gap_s": 1.0}, {"sigterm_gap_s": 1.5}, {"sigterm_gap_s": 9.0})
        text = pages.filled("before\n<!-- bench:take-over -->\nold\n<!-- /bench -->\nafter\n", found)
        assert "| asyncsched, SQLite | – | 1.5 | – | – |" in text.splitlines()
        assert "old" not in text

    def test_what_is_around_a_table_stays(self):
        text = pages.filled("before\n<!-- bench:take-over -->\nold\n<!-- /bench -->\nafter\n", results())
        assert text.startswith("before\n<!-- bench:take-over -->\n")
        assert text.endswith("\n<!-- /bench -->\nafter\n")

    def test_filling_twice_is_filling_once(self):
        once = pages.filled(pages.PAGES[-1].read_text(), results({"sigterm_gap_s": 1.0}))
        assert pages.filled(once, results({"sigterm_gap_s": 1.0})) == once

    def test_a_system_that_has_none_of_the_figures_is_left_out(self):
        text = pages.filled("<!-- bench:take-over -->\n<!-- /bench -->", results({"threads": 4}))
        assert "SQLite" not in text

    def test_every_table_has_its_place_and_every_place_its_table(self):
        texts = "".join(page.read_text() for page in pages.PAGES)
        assert set(re.findall(r"<!-- bench:(\S+) -->", texts)) == set(pages.TABLES)
