"""Several processes do the same to the alarm at the same time, on PostgreSQL."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import django_process
from tests.support.postgres import execute

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).with_name("replica.py")
REPLICAS = 2


@pytest.fixture(scope="module")
def replicas(database):
    """Processes on one database; all are ready for work."""
    with ExitStack() as stack:
        processes = [django_process.start(SCRIPT, database_url=database) for _ in range(REPLICAS)]
        for process in processes:
            stack.enter_context(process)
            stack.callback(process.kill)
        at_once(processes, "look")
        yield processes


@pytest.fixture(autouse=True)
def nothing_happened(database):
    execute(database, "DELETE FROM alarm_alarmevent")


def at_once(processes, line):
    """Have every process do what *line* says; return what each answered."""
    for process in processes:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    return [process.stdout.readline().strip() for process in processes]


def put(database, state, until):
    execute(database, f"UPDATE alarm_alarmstate SET state = '{state}', mode = 'away', until = {until}")


def kinds(database):
    return [kind for (kind,) in execute(database, "SELECT kind FROM alarm_alarmevent ORDER BY id")]


def test_a_delay_that_ended_while_all_were_down_triggers_once(replicas, database):
    for _ in range(10):
        execute(database, "DELETE FROM alarm_alarmevent")
        put(database, "pending", "now() - interval '1 hour'")

        assert at_once(replicas, "look") == ["triggered"] * REPLICAS
        assert kinds(database) == ["triggered"]


def test_somebody_comes_in_once_whoever_saw_it(replicas, database):
    for _ in range(10):
        execute(database, "DELETE FROM alarm_alarmevent")
        put(database, "armed_away", "NULL")

        assert sorted(at_once(replicas, "enter")) == ["False"] * (REPLICAS - 1) + ["True"]
        assert kinds(database) == ["pending"]


def test_tries_at_several_replicas_count_together(replicas, database):
    execute(
        database,
        "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff, is_active,"
        " date_joined) VALUES ('resident', '', false, '', '', '', false, true, now())",
    )
    execute(
        database,
        "INSERT INTO alarm_alarmcode (label, hash, enabled, may_arm, may_disarm, created_at)"
        " VALUES ('Anna', 'md5$salt$00', true, true, true, now())",
    )
    put(database, "armed_away", "NULL")

    answers = at_once(replicas, "try 1111 2222 3333")

    told = sorted(",".join(answers).split(","))
    assert told.count("CodeWrong") == 4
    assert told.count("LockedOut") == 3 * REPLICAS - 4
    assert sorted(kinds(database)) == ["code_refused"] * 5 + ["locked_out"]
