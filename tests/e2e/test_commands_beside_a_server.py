"""The commands as people call them: as processes of their own, beside a server that runs, and after it has stopped."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, Self

import pytest

from tests.e2e.conftest import MakeSite, Site, command
from tests.support.postgres import Postgres
from tests.support.servers import DAPHNE

pytestmark = pytest.mark.e2e

TASKS = ("tick", "asks_database", "finishes_in_time")
TAKEN_UP_WITHIN = 2.0  # seconds, as promised
MARGIN = 10.0  # for a machine that is busy with other tests


class Deployment:
    """Servers of the project on one database, by default SQLite, and its command line; ``with`` ends the servers."""

    def __init__(self, make_site: MakeSite, database_url: str | None = None) -> None:
        self._make_site = make_site
        self._environment = {"DATABASE_URL": database_url} if database_url else {}
        self.sites: list[Site] = []

    def start(self, *tasks: str) -> Site:
        """Start one more server and return it; it has not begun to run tasks."""
        environment = dict(self._environment)
        if self.sites and not environment:
            environment["database"] = str(self.sites[0].database)
        site = self._make_site(DAPHNE, *(tasks or TASKS), **environment)
        self.sites.append(site)
        site.server.start()
        return site

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for site in self.sites:
            site.server.kill()

    def wait_for_processes(self, count: int) -> None:
        """Return once the database knows of *count* processes. A command is too slow to be asked again and again."""
        site = self.sites[-1]
        site.server.wait_until(lambda: site.query("SELECT count(*) FROM asyncsched_replica") == [(count,)])

    def call(self, *arguments: str, tasks: tuple[str, ...] = TASKS) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py async_tasks`` with *arguments* in a process that has *tasks*."""
        site = self.sites[0]
        return command(
            "async_tasks",
            *arguments,
            database=site.database,
            folder=site.ledger_file.parent,
            E2E_TASKS=",".join(tasks),
            **self._environment,
        )

    def json(self, *arguments: str) -> Any:
        """Return what a command prints with ``--json``, whatever its exit code."""
        return json.loads(self.call(*arguments, "--json").stdout)

    def task(self, name: str) -> dict[str, Any]:
        """Return how ``status`` says that the task *name* stands."""
        return next(task for task in self.json("status")["tasks"] if task["name"] == name)


MakeDeployment = Callable[[str], Deployment]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def make_deployment(request: pytest.FixtureRequest, make_site: MakeSite) -> Iterator[MakeDeployment]:
    """Make deployments, each on a database of its own with the name given."""
    postgres: Postgres | None = None if request.param == "sqlite" else request.getfixturevalue("postgres")
    with ExitStack() as stack:

        def make(name: str) -> Deployment:
            if postgres is None:
                return stack.enter_context(Deployment(make_site))
            url = postgres.create_database(name, template=request.getfixturevalue("postgres_template"))
            stack.callback(postgres.drop_database, name)
            return stack.enter_context(Deployment(make_site, url))

        yield make


@pytest.fixture(scope="module")
def running(make_deployment: MakeDeployment) -> Deployment:
    """A deployment of one server, which runs its tasks."""
    deployment = make_deployment("running")
    site = deployment.start()
    site.wait_for_notes("tick")
    site.server.wait_until(lambda: site.ledger("finishes_in_time") and len(site.runs("asks_database")) >= 2)
    return deployment


@pytest.fixture(scope="module")
def status(running: Deployment) -> dict[str, Any]:
    """What ``status --json`` says beside that server."""
    return running.json("status")


@pytest.fixture(scope="module")
def stopped(make_site: MakeSite) -> Deployment:
    """A deployment whose one server has run its tasks, and was stopped."""
    deployment = Deployment(make_site)
    site = deployment.start()
    site.wait_for_notes("asks_database", count=3)
    assert site.server.stop() == 0
    return deployment


class TestBesideARunningServer:
    def test_status_is_healthy_and_names_the_process_that_leads(self, running: Deployment) -> None:
        done = running.call("status")
        pid = running.sites[0].server.process.pid
        assert done.returncode == 0, done.stdout
        assert done.stdout.startswith("healthy: 1 process, ")
        assert f":{pid} leads since " in done.stdout

    def test_status_for_programs_tells_of_process_leader_and_tasks(
        self, running: Deployment, status: dict[str, Any]
    ) -> None:
        (process,) = status["replicas"]
        assert (status["healthy"], status["leader"]["replica"]) == (True, process["replica"])
        assert (process["role"], process["pid"]) == ("leader", running.sites[0].server.process.pid)
        assert sorted(task["name"] for task in status["tasks"]) == process["tasks"]
        assert set(TASKS) <= set(process["tasks"])

    def test_status_tells_on_which_process_a_task_runs(self, status: dict[str, Any]) -> None:
        task = next(task for task in status["tasks"] if task["name"] == "finishes_in_time")
        assert (task["state"], task["running_on"]) == ("running", task["known_by"])

    def test_history_shows_what_ran(self, running: Deployment, status: dict[str, Any]) -> None:
        runs = running.json("history", "asks_database", "--limit", "5")
        assert {run["status"] for run in runs} == {"succeeded"}
        assert {run["replica"] for run in runs} == {status["leader"]["replica"]}

    def test_next_shows_what_comes(self, running: Deployment) -> None:
        before = datetime.now(UTC)
        coming = running.json("next", "--count", "4")
        moments = [datetime.fromisoformat(one["scheduled_for"]) for one in coming]
        assert len(coming) == 4
        assert before < moments[0]
        assert moments == sorted(moments)

    def test_a_pause_is_taken_up_within_two_seconds_and_so_is_its_end(self, running: Deployment) -> None:
        site = running.sites[0]
        assert running.call("pause", "tick").stdout == "tick: paused\n"
        paused_at = time.time()
        assert running.task("tick")["state"] == "paused"
        site.server.wait_until(lambda: time.time() - site.ledger("tick")[-1]["at"] > 2 * TAKEN_UP_WITHIN)
        assert site.ledger("tick")[-1]["due"] - paused_at < TAKEN_UP_WITHIN + MARGIN

        assert running.call("resume", "tick").stdout == "tick: resumed\n"
        resumed_at = time.time()
        site.wait_for_notes("tick")
        first = next(line for line in site.ledger("tick") if line["due"] > paused_at + TAKEN_UP_WITHIN)
        assert first["at"] - resumed_at < TAKEN_UP_WITHIN + MARGIN
        assert running.call("status").returncode == 0

    def test_a_run_that_is_asked_for_takes_place_in_the_server(
        self, running: Deployment, status: dict[str, Any]
    ) -> None:
        done = running.call("ask", "asks_database", "--wait", "--timeout", "50", "--json")
        assert done.returncode == 0, done.stdout
        (asked,) = json.loads(done.stdout)
        assert (asked["status"], asked["replica"]) == ("succeeded", status["leader"]["replica"])
        shown = json.loads(running.call("show", asked["run_id"], "--json").stdout)
        assert (shown["trigger"], shown["scheduled_for"]) == ("manual", asked["asked_at"])

    def test_code_that_lacks_a_task_can_ask_for_it(self, running: Deployment) -> None:
        asked = running.call("ask", "asks_database", tasks=("tick",))
        pid = running.sites[0].server.process.pid
        assert (asked.returncode, f":{pid}, begins it in about 2 s" in asked.stdout) == (0, True)

    def test_an_unknown_name_exits_with_2(self, running: Deployment) -> None:
        done = running.call("pause", "tock")
        assert (done.returncode, done.stdout) == (2, "CommandError: unknown task 'tock': did you mean 'tick'?\n")

    def test_code_that_lacks_a_task_can_pause_it_but_not_run_it(self, running: Deployment) -> None:
        older = ("tick",)
        pid = running.sites[0].server.process.pid
        refused = running.call("run", "asks_database", tasks=older)
        assert (refused.returncode, f":{pid} only" in refused.stdout) == (2, True)
        assert running.call("pause", "asks_database", tasks=older).returncode == 0
        assert running.call("resume", "asks_database", tasks=older).returncode == 0


class TestAfterTheServerHasStopped:
    def test_status_is_not_healthy(self, stopped: Deployment) -> None:
        done = stopped.call("status")
        assert done.returncode == 1
        assert done.stdout.startswith("NOT healthy: no process runs the scheduler: start a server\n")

    def test_history_is_still_there(self, stopped: Deployment) -> None:
        done = stopped.call("history", "asks_database")
        assert done.returncode == 0
        assert len([line for line in done.stdout.splitlines() if "  succeeded  " in line]) >= 2

    def test_next_shows_what_would_come(self, stopped: Deployment) -> None:
        done = stopped.call("next", "--count", "3")
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 4)

    def test_a_task_can_be_paused_and_resumed(self, stopped: Deployment) -> None:
        assert stopped.call("pause", "tick").stdout == "tick: paused\n"
        assert stopped.task("tick")["paused"]
        assert stopped.call("resume", "tick").stdout == "tick: resumed\n"
        assert not stopped.task("tick")["paused"]


def test_of_three_processes_one_leads_and_when_it_is_stopped_another(make_deployment: MakeDeployment) -> None:
    with make_deployment("three") as deployment:
        for _ in range(3):
            deployment.start("tick")
        by_pid = {site.server.process.pid: site for site in deployment.sites}
        deployment.wait_for_processes(3)
        server = deployment.sites[-1].server
        server.wait_until(lambda: deployment.call("status", tasks=("tick",)).stdout.startswith("healthy: 3 processes"))
        status = deployment.json("status")
        leader = next(process for process in status["replicas"] if process["role"] == "leader")
        assert sorted(process["role"] for process in status["replicas"]) == ["leader", "standby", "standby"]

        assert by_pid.pop(leader["pid"]).server.stop() == 0
        left = next(iter(by_pid.values())).server
        left.wait_until(lambda: deployment.call("status", tasks=("tick",)).stdout.startswith("healthy: 2 processes"))
        after = deployment.json("status")["leader"]
        assert after["replica"] != leader["replica"]
        assert after["term"] > status["leader"]["term"]


def test_a_task_that_the_leader_lacks_is_said_to_wait_for_one_that_has_it(make_site: MakeSite) -> None:
    with Deployment(make_site) as deployment:
        first = deployment.start("tick")
        first.wait_for_notes("tick")
        second = deployment.start("raises")
        deployment.wait_for_processes(2)

        def status() -> subprocess.CompletedProcess[str]:
            return deployment.call("status", tasks=("tick", "raises"))

        second.server.wait_until(lambda: "warning: raises waits for a leader that knows it" in status().stdout)
        assert status().returncode == 0
        assert deployment.task("raises")["state"] == "unserved"

        assert first.server.stop() == 0
        second.wait_for_notes("raises")
        second.server.wait_until(lambda: deployment.json("status")["warnings"] == [])
        parked = deployment.task("tick")
        assert (parked["state"], parked["registered"], parked["known_by"]) == ("parked", True, [])
