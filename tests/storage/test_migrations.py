"""Upgrade and rollback on a database that holds history, and two versions side by side while a deploy goes on."""

import shutil
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader

from asyncsched.engine.runs import Claim, Refusal, SkipReason
from asyncsched.models import Lease, Replica, TaskRun, TaskSkip, TaskState
from asyncsched.storage import claims
from tests.storage.test_past import run, skip
from tests.storage.test_store_contract import HOURLY, NOON, occurrence
from tests.support.databases import default_database
from tests.support.mariadb import MariaDB
from tests.support.postgres import Postgres

OLDER = ["0001_initial", "0002_skips_and_stalls"]
ROWS = 2_000
FEW = 5


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'test.sqlite3')}"


@pytest.fixture
def postgres_url(migrated_postgres: Postgres) -> Iterator[str]:
    yield migrated_postgres.create_database("to_migrate", template="migrated")
    migrated_postgres.drop_database("to_migrate")


@pytest.fixture
def mariadb_url(mariadb: MariaDB) -> Iterator[str]:
    yield mariadb.create_database("to_migrate")
    mariadb.drop_database("to_migrate")


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def filled(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """A database of this test's own, with something in each table."""
    url = request.getfixturevalue(f"{request.param}_url")
    with django_db_blocker.unblock(), default_database(url, migrate=False):
        migrate()
        fill(ROWS)
        yield


def fill(rows: int) -> None:
    """Put something into each table, into the columns that came later too."""
    facts = {"stall_seconds": 0.5, "stall_where": "x", "count": 30, "term": 7}
    TaskRun.objects.bulk_create([run("a", minute, **facts) for minute in range(rows)])
    TaskSkip.objects.bulk_create([skip("a", minute) for minute in range(rows)])
    TaskState.objects.create(task="a", cursor=NOON, paused=True, runs=40, failures=2, next_run_at=NOON)
    Lease.objects.create(name="scheduler", term=7, holder="one")
    Replica.objects.create(replica="one", version="1", tasks={"a": {}}, started_at=NOON, seen_at=NOON, expires_at=NOON)


def migrate(*target: str) -> None:
    call_command("migrate", "asyncsched", *target, verbosity=0)


def shape() -> dict[str, tuple[set[str], set[str]]]:
    """Return the columns, the indexes and the constraints of each of our tables."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("asyncsched_"):
                described = connection.introspection.get_table_description(cursor, table)
                columns = {f"{one.name} {'NULL' if one.null_ok else 'NOT NULL'}" for one in described}
                found[table] = columns, set(connection.introspection.get_constraints(cursor, table))
    return found


class TestBackAndForwardAgain:
    @pytest.mark.parametrize("target", OLDER)
    def test_leaves_every_run_and_every_state(self, target: str, filled: None) -> None:
        migrate(target)
        migrate()
        assert TaskRun.objects.filter(task="a", count=1, term=None).count() == ROWS
        state = TaskState.objects.get(task="a")
        assert (state.cursor, state.paused) == (NOON, True)
        assert (state.runs, state.failures, state.next_run_at) == (0, 0, None)

    def test_makes_the_same_tables(self, filled: None) -> None:
        before = shape()
        migrate("0001")
        assert shape() != before
        migrate()
        assert shape() == before

    def test_by_one_version_keeps_what_that_one_knows(self, filled: None) -> None:
        migrate("0002")
        migrate()
        assert TaskRun.objects.filter(stall_seconds=0.5, stall_where="x").count() == ROWS
        assert TaskSkip.objects.count() == ROWS

    def test_begins_with_nobody_in_the_lead(self, filled: None) -> None:
        migrate("0002")
        migrate()
        assert not Lease.objects.exists()
        assert not Replica.objects.exists()


@pytest.fixture(params=OLDER)
def older(request: pytest.FixtureRequest, database: Any) -> SimpleNamespace:
    """The models of an older version that still runs: it knows nothing of the columns that came since."""
    fill(FEW)
    apps = MigrationLoader(connection).project_state([("asyncsched", request.param)]).apps
    return SimpleNamespace(run=apps.get_model("asyncsched.TaskRun"), state=apps.get_model("asyncsched.TaskState"))


def written_by(older: SimpleNamespace, **facts: Any) -> Any:
    """Return a run as the older version would write it."""
    known = {"task": "hourly", "status": "running", "trigger": "schedule", "scheduled_for": NOON, "started_at": NOON}
    return older.run(run_id=uuid.uuid4(), replica="older", heartbeat_at=NOON, **(known | facts))


class TestAnOlderVersionThatStillRuns:
    def test_writes_runs_that_stand_for_themselves(self, older: SimpleNamespace) -> None:
        older.run.objects.bulk_create([written_by(older, task="b", status="succeeded")], ignore_conflicts=True)
        found = TaskRun.objects.get(task="b")
        assert (found.count, found.term, found.stall_where) == (1, None, None)

    def test_reads_runs_of_the_newer_one(self, older: SimpleNamespace) -> None:
        assert older.run.objects.filter(task="a", status="succeeded").order_by("-started_at")[0].scheduled_for == (
            NOON + timedelta(minutes=FEW - 1)
        )

    def test_keeps_states_without_touching_what_it_does_not_know(self, older: SimpleNamespace) -> None:
        self.upsert(older, "a")
        state = TaskState.objects.get(task="a")
        assert (state.last_status, state.consecutive_failures, state.paused) == ("failed", 3, True)
        assert (state.runs, state.failures, state.next_run_at) == (40, 2, NOON)

    def test_makes_states_of_which_nothing_is_counted_yet(self, older: SimpleNamespace) -> None:
        self.upsert(older, "b")
        older.state.objects.get_or_create(task="c")
        counts = TaskState.objects.filter(task__in=["b", "c"]).values_list("runs", "failures", "next_run_at")
        assert [*counts] == [(0, 0, None)] * 2

    def upsert(self, older: SimpleNamespace, task: str) -> None:
        targeted = connection.features.supports_update_conflicts_with_target
        older.state.objects.bulk_create(
            [older.state(task=task, last_status="failed", consecutive_failures=3, last_started_at=NOON)],
            update_conflicts=True,
            unique_fields=["task"] if targeted else None,
            update_fields=["last_status", "consecutive_failures", "last_started_at"],
        )

    def test_is_not_granted_what_the_newer_one_has(self, older: SimpleNamespace) -> None:
        assert isinstance(claims.claim(HOURLY, occurrence(), replica="newer", now=NOON), Claim)
        with pytest.raises(IntegrityError), transaction.atomic():
            written_by(older).save()

    def test_keeps_the_newer_one_from_what_it_has(self, older: SimpleNamespace) -> None:
        written_by(older).save()
        answer = claims.claim(HOURLY, occurrence(), replica="newer", now=NOON, term=7)
        assert answer == Refusal(occurrence=occurrence(), reason=SkipReason.CLAIMED)

    def test_is_not_taken_for_dead_although_it_is_not_among_the_processes(self, older: SimpleNamespace) -> None:
        written_by(older).save()
        following, then = occurrence(hours=1), NOON + timedelta(hours=1, seconds=1)
        older.run.objects.filter(status="running").update(heartbeat_at=then)
        answer = claims.claim(HOURLY, following, replica="newer", now=then, term=7)
        assert answer == Refusal(occurrence=following, reason=SkipReason.RUNNING_ELSEWHERE)
        assert older.run.objects.get(task="hourly").status == "running"

    def test_ends_and_prunes_runs(self, older: SimpleNamespace) -> None:
        mine = written_by(older)
        mine.save()
        older.run.objects.filter(run_id=mine.run_id).update(status="succeeded", finished_at=NOON, heartbeat_at=None)
        assert TaskRun.objects.get(task="hourly").status == "succeeded"
        oldest = older.run.objects.filter(task="a").order_by("started_at").values_list("pk", flat=True)[:2]
        older.run.objects.filter(pk__in=[*oldest]).delete()
        assert TaskRun.objects.filter(task="a").count() == FEW - 2
