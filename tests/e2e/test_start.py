"""What keeps the scheduler from starting, what does not, and what does not even try."""

import json
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Site, StartSite, command
from tests.support.postgres import Postgres, running_postgres
from tests.support.servers import (
    DAPHNE,
    GRANIAN,
    HYPERCORN,
    HYPERCORN_ALONE,
    RUNSERVER,
    UVICORN,
    UVICORN_OFF,
    Kind,
)

pytestmark = pytest.mark.e2e

NO_LIFESPAN = "the scheduler is not running"
STARTED = "asyncsched.supervisor: started"

FAILED_START = {DAPHNE: 3, UVICORN: 3, GRANIAN: 1, HYPERCORN_ALONE: 1, HYPERCORN: 0}  # the last is hypercorn's own


@pytest.fixture(scope="module")
def misconfigured(start: StartSite) -> dict[Kind, Site]:
    """Each server with a setting that is spelt wrongly."""
    setting = json.dumps({"THREDS": 3})
    return {kind: start(kind, E2E_ASYNCSCHED=setting) for kind in FAILED_START}


@pytest.fixture(scope="module")
def unmigrated(start: StartSite, tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Site]:
    """Each server with an empty database."""
    folder = tmp_path_factory.mktemp("empty")
    sites = {}
    for number, kind in enumerate(FAILED_START):
        database = folder / f"{number}.sqlite3"
        database.touch()
        sites[kind] = start(kind, database=str(database))
    return sites


@pytest.mark.parametrize("kind", FAILED_START, ids=lambda kind: kind.name)
def test_an_unknown_setting_ends_the_server_with_the_reason(misconfigured: dict[Kind, Site], kind: Kind) -> None:
    server = misconfigured[kind].server
    assert server.exit_code() == FAILED_START[kind]
    assert "settings.ASYNCSCHED['THREDS'] is not a setting (did you mean 'THREADS'?)" in server.log
    assert "CRITICAL asyncsched.server" in server.log
    assert server.leaks == []


@pytest.mark.parametrize("kind", FAILED_START, ids=lambda kind: kind.name)
def test_missing_tables_end_the_server_with_the_way_out(unmigrated: dict[Kind, Site], kind: Kind) -> None:
    server = unmigrated[kind].server
    assert server.exit_code() == FAILED_START[kind]
    assert "run 'python manage.py migrate' first" in server.log
    assert server.leaks == []


def test_runserver_names_an_unknown_setting_in_its_system_check(start: StartSite) -> None:
    server = start(RUNSERVER, E2E_ASYNCSCHED=json.dumps({"THREDS": 3})).server
    assert server.exit_code() == 1
    assert "(asyncsched.E001) settings.ASYNCSCHED['THREDS']" in server.log


def test_requests_that_come_during_a_slow_start_are_held_until_it_is_through(
    start: StartSite, template: Path, tmp_path: Path
) -> None:
    database = tmp_path / "db.sqlite3"
    database.write_bytes(template.read_bytes())
    with closing(sqlite3.connect(database, isolation_level=None)) as owner, ThreadPoolExecutor(1) as pool:
        owner.execute("PRAGMA locking_mode=EXCLUSIVE")
        owner.execute("BEGIN EXCLUSIVE")  # nobody else can even read: the start waits for the database
        site = start(DAPHNE, database=str(database), E2E_DATABASE_TIMEOUT="30")
        site.server.wait_until_logged("Listening on TCP address")
        answer = pool.submit(_patient_state, site)
        with pytest.raises(TimeoutError):
            answer.result(1.0)
        assert STARTED not in site.server.log
        owner.execute("ROLLBACK")
        owner.close()
        assert answer.result(20)["state"] == "running"
    assert site.server.stop() == 0
    assert site.server.leaks == []


def _patient_state(site: Site) -> dict:
    deadline = time.monotonic() + 20
    while True:
        try:
            return site.state()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline


def test_a_server_that_is_stopped_while_it_starts_leaves_nothing_behind(
    start: StartSite, template: Path, tmp_path: Path
) -> None:
    database = tmp_path / "db.sqlite3"
    database.write_bytes(template.read_bytes())
    with closing(sqlite3.connect(database, isolation_level=None)) as owner:
        owner.execute("PRAGMA locking_mode=EXCLUSIVE")
        owner.execute("BEGIN EXCLUSIVE")
        site = start(DAPHNE, database=str(database), E2E_DATABASE_TIMEOUT="5")
        site.server.wait_until_logged("Listening on TCP address")
        assert site.server.stop(timeout=10) == 0
    assert STARTED not in site.server.log
    assert site.server.leaks == []


@pytest.fixture
def late_postgres(tmp_path: Path) -> Iterator[tuple[Postgres, str]]:
    """A PostgreSQL that is down, and the address of a migrated database in it."""
    with running_postgres() as postgres:
        url = postgres.create_database("late")
        done = command("migrate", "--verbosity", "0", database=tmp_path / "unused", folder=tmp_path, DATABASE_URL=url)
        assert done.returncode == 0, done.stdout
        postgres.stop()
        yield postgres, url


def test_with_the_database_away_nobody_is_elected_and_as_soon_as_it_comes_somebody_is(
    start: StartSite, late_postgres: tuple[Postgres, str]
) -> None:
    postgres, url = late_postgres
    site = start(DAPHNE, "tick", "tick_everywhere", DATABASE_URL=url)
    site.wait_for_notes("tick_everywhere", count=3)  # needs no leader
    assert site.state()["state"] == "running"
    assert site.state()["health"]["leader"] is False
    assert site.ledger("tick") == []
    postgres.start()
    site.wait_for_notes("tick", count=3)
    assert site.state()["health"]["leader"] is True
    assert site.server.stop() == 0
    assert site.server.leaks == []


def test_a_single_process_that_needs_no_election_goes_on_without_and_catches_on_when_the_database_comes(
    start: StartSite, late_postgres: tuple[Postgres, str]
) -> None:
    postgres, url = late_postgres
    alone = json.dumps({"ELECTION": False})
    site = start(DAPHNE, "tick", "asks_database_sync", "looks_at_stopping", DATABASE_URL=url, E2E_ASYNCSCHED=alone)
    site.wait_for_notes("tick", count=3)
    assert site.state()["state"] == "running"
    assert site.state()["health"]["failing"] == 1  # the task that asks the database
    assert site.ledger("looks_at_stopping") == []  # to be claimed in the database before it runs
    assert site.server.log.count("history is unavailable") == 1

    postgres.start()
    site.wait_for_notes("looks_at_stopping")
    site.wait_for_notes("asks_database_sync", count=2)
    site.server.wait_until(lambda: site.state()["health"]["failing"] == 0)
    site.server.wait_until_logged("the database answers again")
    assert site.server.stop() == 0
    assert site.server.leaks == []


def test_with_the_scheduler_disabled_the_server_runs_and_no_task_does(start: StartSite) -> None:
    site = start(DAPHNE, E2E_ASYNCSCHED=json.dumps({"ENABLED": False}))
    site.server.wait_until_serving()
    assert site.state()["state"] == "disabled"
    assert site.server.stop() == 0
    assert (STARTED in site.server.log, NO_LIFESPAN in site.server.log, site.ledger()) == (False, False, [])


def test_without_lifespan_requests_pass_and_one_warning_says_that_nothing_is_scheduled(start: StartSite) -> None:
    site = start(UVICORN_OFF)
    site.server.wait_until_serving()
    assert [site.server.get().status for _ in range(3)] == [200, 200, 200]
    assert site.state()["state"] == "idle"
    assert site.server.stop() in UVICORN.exit_codes
    assert (site.server.log.count(NO_LIFESPAN), site.ledger()) == (1, [])


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("migrate", "--plan"),
        ("async_tasks", "list"),
        ("test", "ticking"),
        ("shell", "-c", "import asgi, time; time.sleep(1.5)"),  # longer than three occurrences
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_other_command_starts_the_scheduler(template: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    database = tmp_path / "db.sqlite3"
    database.write_bytes(template.read_bytes())
    done = command(*arguments, database=database, folder=tmp_path, E2E_TASKS="tick,finishes_in_time")
    assert done.returncode == 0, done.stdout
    assert STARTED not in done.stdout
    assert not (tmp_path / "ledger").exists()
