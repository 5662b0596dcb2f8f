"""What a real server tells probes: on standby, while it drains, while its loop is blocked."""

import json

import pytest

from tests.e2e.conftest import MakeSite, Site
from tests.support.servers import DAPHNE

pytestmark = pytest.mark.e2e


def readiness(site: Site) -> tuple[int, str]:
    answer = site.server.get("/readyz")
    return answer.status, json.loads(answer.body)["state"]


def test_a_process_that_stands_by_is_ready(make_site: MakeSite) -> None:
    leader = make_site(DAPHNE, "tick")
    standby = make_site(DAPHNE, "tick", database=str(leader.database))
    leader.server.start()
    leader.wait_for_notes("tick")
    standby.server.start()
    standby.server.wait_until_serving()

    assert json.loads(standby.server.get("/state").body)["health"]["leader"] is False
    assert readiness(standby) == readiness(leader) == (200, "running")


def test_a_process_that_drains_is_alive_and_not_ready(make_site: MakeSite) -> None:
    site = make_site(DAPHNE, "never_finishes", "notices_the_drain", E2E_GRACE="20")
    site.server.start()
    site.wait_for_notes("never_finishes", event="began")
    site.server.send()
    site.wait_until_it_drains()

    assert site.server.get("/healthz").status == 200
    assert readiness(site) == (503, "draining")


def test_a_process_whose_loop_is_blocked_does_not_answer_until_it_goes_on(make_site: MakeSite) -> None:
    site = make_site(DAPHNE, "blocks_loop")
    site.server.start()
    site.wait_for_notes("blocks_loop", event="ran")  # what follows takes seconds: nobody is too late to see it
    site.server.wait_until(lambda: not answers(site))
    site.server.wait_until(lambda: answers(site))


def answers(site: Site) -> bool:
    try:
        return site.server.get("/healthz", timeout=0.5).status == 200
    except OSError:  # a timeout is one
        return False
