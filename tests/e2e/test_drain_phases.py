"""SIGTERM while a claim waits for the database, while runs are at work, and while a result waits to be written."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeSite, Site, command
from tests.support.postgres import Postgres
from tests.support.servers import DAPHNE, UVICORN, Kind

pytestmark = pytest.mark.e2e

GRACE = 2.0
LONG_GRACE = 20.0  # for a server that ends before: what it waits for comes
OVERHEAD = 15.0  # seconds a server may take by itself, on a machine that is busy with others
AT_ONCE = 4  # servers at the same time, for the machine's sake
DUE = ("daily_work", "daily_work_sync")
AT_WORK = ("finishes_in_time", "never_finishes", "looks_at_stopping", "ignores_stopping")
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(slots=True, kw_only=True)
class Life:
    """What one server left behind when it was told to stop, and what the next one made of it."""

    exit_code: int | None = None
    seconds_to_exit: float = 0.0
    left_a_process: bool = True
    runs: dict[str, list[str]] = field(default_factory=dict)
    """Statuses of the rows of each task, once the process had ended."""
    later_runs: dict[str, list[str]] = field(default_factory=dict)
    """The same, once the next process had ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A server on a database, the phase in which it is told to stop, and whether the lock on the database goes away."""

    kind: Kind
    database: str
    phase: Callable[[Site, "Story"], Life]
    released: bool = False
    tasks: tuple[str, ...] = DUE

    @property
    def grace(self) -> float:
        """How many seconds of grace its server has."""
        return LONG_GRACE if self.released else GRACE

    def __str__(self) -> str:
        lock = "-released" if self.released else ""
        return f"{self.kind.name}-{self.database}-{self.phase.__name__.removeprefix('stopped_')}{lock}"


def stopped_while_a_claim_waits(site: Site, story: Story) -> Life:
    with ExitStack() as lock:
        lock.enter_context(site.locked())
        site.server.start()
        site.wait_for_notes("tick", count=2)  # all schedules have looked by then, and what is due asks for its claim
        life = _stop(site, story, lock.close)
    # A claim that was granted in the end may have been used, or given back.
    _live_again(site, life, lambda: all(len(site.ledger(task, event="began")) == 1 for task in DUE))
    return life


def stopped_while_a_result_waits(site: Site, story: Story) -> Life:
    site.server.start()
    for task in DUE:
        site.server.wait_until(lambda task=task: site.ledger(task, event="began"))
    with ExitStack() as lock:
        lock.enter_context(site.locked())
        life = _stop(site, story, lambda: (_wait_until_a_write_waits(site), lock.close()))
    # Nobody looks for a process that died before its heartbeat is a minute old.
    site.query("UPDATE asyncsched_taskrun SET heartbeat_at = '2026-01-01 00:00:00' WHERE status = 'running'")
    _live_again(site, life, lambda: len(site.ledger("tick")) and not _rows_still_running(site))
    return life


def stopped_at_work(site: Site, story: Story) -> Life:
    site.server.start()
    for task in AT_WORK:
        site.server.wait_until(lambda task=task: site.ledger(task))
    return _stop(site, story)


def _stop(site: Site, story: Story, release: Callable[[], object] | None = None) -> Life:
    site.server.send(signal.SIGTERM)
    began = time.monotonic()
    if story.released and release:
        site.wait_until_it_drains()
        release()
    life = Life(exit_code=site.server.exit_code())
    life.seconds_to_exit = time.monotonic() - began
    life.left_a_process = site.server.leaves_a_process
    life.runs = _runs(site, story)
    return life


def _live_again(site: Site, life: Life, is_through: Callable[[], object]) -> None:
    """Start the next process, on the same port, and stop it when it has made its own of what it found."""
    site.server.start()
    site.wait_for_notes("tick", count=2)
    site.server.wait_until(is_through)
    assert site.server.stop() in site.server.kind.exit_codes
    life.later_runs = {task: [status for status, _ in site.runs(task)] for task in life.runs}


def _runs(site: Site, story: Story) -> dict[str, list[str]]:
    return {task: [status for status, _ in site.runs(task)] for task in story.tasks}


def _rows_still_running(site: Site) -> list[str]:
    return [status for task in DUE for status, _ in site.runs(task) if status == "running"]


def _wait_until_a_write_waits(site: Site) -> None:
    if site.is_sqlite:
        site.server.wait_until_logged("history cannot be written (OperationalError: database is locked)")
    else:
        site.server.wait_until(lambda: site.query("SELECT 1 FROM pg_locks WHERE NOT granted"))


STORIES = [
    *(
        Story(kind=DAPHNE, database=database, phase=phase, released=released)
        for database in (SQLITE, POSTGRESQL)
        for phase in (stopped_while_a_claim_waits, stopped_while_a_result_waits)
        for released in (True, False)
    ),
    Story(kind=UVICORN, database=SQLITE, phase=stopped_while_a_claim_waits),
    Story(kind=UVICORN, database=POSTGRESQL, phase=stopped_while_a_result_waits, released=True),
    Story(kind=DAPHNE, database=POSTGRESQL, phase=stopped_at_work, tasks=AT_WORK),
]


@pytest.fixture(scope="module")
def due_hours_ago(
    template: Path, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, postgres_template: str
) -> Iterator[Path]:
    """A migrated SQLite database, and a PostgreSQL one called like the fixture, in which work has been missed."""
    folder = tmp_path_factory.mktemp("due")
    database = folder / "due.sqlite3"
    database.write_bytes(template.read_bytes())
    url = postgres.create_database("due_hours_ago", template=postgres_template)
    work = f"""
from datetime import timedelta
from django.utils import timezone
from asyncsched.models import TaskState
for task in {DUE}:
    TaskState.objects.create(task=task, cursor=timezone.now() - timedelta(days=1, hours=12))
"""
    for address in (f"sqlite:///{database}", url):
        done = command("shell", "-c", work, database=database, folder=folder, DATABASE_URL=address)
        assert done.returncode == 0, done.stdout
    yield database
    postgres.drop_database("due_hours_ago")


@pytest.fixture(scope="module")
def told(make_site: MakeSite, due_hours_ago: Path, postgres: Postgres) -> Iterator[dict[str, tuple[Site, Life]]]:
    """Let all stories take place, some at a time."""
    sites = {}
    for number, story in enumerate(STORIES):
        site = make_site(story.kind, "tick", "notices_the_drain", *story.tasks, **_environment(story, number, postgres))
        if site.is_sqlite:
            site.database.write_bytes(due_hours_ago.read_bytes())
        sites[story] = site
    with ThreadPoolExecutor(AT_ONCE) as pool:
        lives = pool.map(lambda story: story.phase(sites[story], story), STORIES)
        yield {str(story): (sites[story], life) for story, life in zip(STORIES, lives, strict=True)}
    for number, story in enumerate(STORIES):
        sites[story].server.kill()
        if story.database == POSTGRESQL:
            postgres.drop_database(f"story_{number}")


def _environment(story: Story, number: int, postgres: Postgres) -> dict[str, str]:
    # A claim is to wait in the database; a write is to fail and be tried again, which can be seen in the log.
    patience = "30" if story.phase is stopped_while_a_claim_waits else "0.3"
    environment = {"E2E_GRACE": str(story.grace), "E2E_DATABASE_TIMEOUT": patience}
    if story.phase is stopped_while_a_claim_waits:  # with a database that is locked from the start nobody is elected
        environment["E2E_ASYNCSCHED"] = '{"ELECTION": false}'
    if story.database == POSTGRESQL:
        environment["DATABASE_URL"] = postgres.create_database(f"story_{number}", template="due_hours_ago")
    return environment


def about(*phases: Callable[[Site, Story], Life], released: bool | None = None) -> pytest.MarkDecorator:
    """Give a test the stories of *phases*, one by one; all if none is named."""
    chosen = [
        story
        for story in STORIES
        if (not phases or story.phase in phases) and (released is None or story.released == released)
    ]
    return pytest.mark.parametrize("story", chosen, ids=str)


@pytest.fixture
def site(told: dict[str, tuple[Site, Life]], story: Story) -> Site:
    return told[str(story)][0]


@pytest.fixture
def life(told: dict[str, tuple[Site, Life]], story: Story) -> Life:
    return told[str(story)][1]


@about()
def test_it_ends_within_the_grace_with_the_exit_code_of_that_server(story: Story, life: Life) -> None:
    assert life.exit_code in story.kind.exit_codes
    assert life.seconds_to_exit < story.grace + OVERHEAD


@about()
def test_nothing_is_left_over(site: Site, life: Life) -> None:
    assert not life.left_a_process
    assert site.server.leaks == []
    assert "Traceback" not in site.server.log


@about(stopped_while_a_claim_waits, released=False)
def test_what_could_not_be_claimed_has_not_begun_and_has_no_row(life: Life) -> None:
    assert life.runs == {task: [] for task in DUE}


@about(stopped_while_a_claim_waits)
def test_what_waited_for_its_claim_runs_once_now_or_at_the_next_start(site: Site, life: Life) -> None:
    for task in DUE:
        began = site.ledger(task, event="began")
        assert len(began) == 1
        assert len(life.runs[task]) == (began[0]["process"] == site.ledger("tick")[0]["process"])
        assert life.later_runs[task] == ["succeeded"]


@about(stopped_while_a_result_waits, released=True)
def test_a_result_is_written_as_soon_as_the_database_takes_it(story: Story, life: Life) -> None:
    assert life.runs == life.later_runs == {task: ["succeeded"] for task in DUE}
    assert life.seconds_to_exit < story.grace


@about(stopped_while_a_result_waits, released=False)
def test_a_result_the_database_does_not_take_is_said_to_be_lost_and_its_run_is_found_abandoned(
    site: Site, life: Life
) -> None:
    assert "lost" in site.server.log
    assert life.runs == {task: ["running"] for task in DUE}
    assert life.later_runs == {task: ["abandoned"] for task in DUE}


@about(stopped_while_a_result_waits)
def test_what_has_begun_is_not_caught_up_on(site: Site) -> None:
    for task in DUE:
        assert [line["event"] for line in site.ledger(task)] == ["began", "finished"]


@about(stopped_at_work)
def test_runs_at_work_are_recorded_as_what_they_were(life: Life) -> None:
    assert life.runs == {
        "finishes_in_time": ["succeeded"],
        "never_finishes": ["cancelled"],
        "looks_at_stopping": ["succeeded"],
        "ignores_stopping": ["cancelled"],
    }
