"""A real server tells a project's own listener what happens, and writes down what blocked its loop."""

import json

import pytest

from tests.e2e.conftest import Site, StartSite
from tests.support.servers import DAPHNE

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(start: StartSite) -> Site:
    """A server whose loop one of its pages has blocked."""
    settings = {"LISTENERS": ["ticking.listeners.Says"]}
    site = start(DAPHNE, "tick", E2E_ASYNCSCHED=json.dumps(settings))
    site.wait_for_notes("tick")  # by then it serves
    assert site.server.get("/slow?token=secret").status == 200
    return site


def test_a_listener_of_the_project_hears_of_runs_and_stalls(site: Site) -> None:
    site.server.wait_until(lambda: "ticking.listeners: heard that tick has succeeded" in site.server.log)
    site.server.wait_until(lambda: "ticking.listeners: heard of a stall of request GET /slow" in site.server.log)


def test_a_stall_is_in_the_database_with_culprit_line_and_process(site: Site) -> None:
    query = "SELECT culprit, \"where\", task, seconds, replica FROM asyncsched_loopstall WHERE culprit LIKE 'request %'"
    site.server.wait_until(lambda: site.query(query))
    ((culprit, where, task, seconds, replica),) = site.query(query)
    assert (culprit, task) == ("request GET /slow", "")
    assert where.startswith("urls.py:")
    assert seconds > 0.5
    assert f":{site.server.process.pid}:" in replica
