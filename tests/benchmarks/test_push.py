"""What is measured of the push to WebSocket clients."""

import sys
from dataclasses import replace

import pytest

from benchmarks import push
from benchmarks.runner import sample


@pytest.mark.e2e
def test_a_child_pushes_to_real_clients_of_a_real_server_and_all_get_everything():
    case = push.cases(quick=True)[0]
    few = replace(case, arguments=("ours", "daphne", "3", "1", "0.05"), venv=sys.prefix)

    figures = sample(few)

    assert figures["received_share"] == 1
    assert figures["cpu_per_client_message_us"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert {"cpu_per_push_ms", "rss_per_client_kb", "loop_stall_p99_ms", "message_bytes"} <= set(figures)


@pytest.mark.parametrize("target", push.TARGETS, ids=lambda target: target.words)
def test_a_target_is_about_something_that_is_measured(target):
    measured = {(case.workload, case.size, case.system) for case in push.cases(quick=False)}

    assert {(target.workload, target.size, system) for system in (target.ours, target.than) if system} <= measured
