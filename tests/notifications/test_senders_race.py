"""Several senders in processes of their own share one outbox on PostgreSQL."""

import asyncio
import re
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support import django_process
from tests.support.deadline import eventually
from tests.support.postgres import execute

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).with_name("sender.py")
MESSAGES = 200


KINDS = 20


def queue(database_url, count, *, kinds=None):
    """Queue as many messages, each for itself, or repeats of as many kinds."""
    number = f"n %% {kinds}" if kinds else "n"
    execute(
        database_url,
        "INSERT INTO notifications_notification"
        " (title, body, channel, status, attempts, next_attempt_at, delivered_to, last_error, created_at, kind)"
        f" SELECT '', 'message ' || {number}, '', 'pending', 0, now(), '[]', '', now(), {number}"
        " FROM generate_series(1, %s) AS n",
        count,
    )


def collapse_repeats(database_url):
    execute(
        database_url,
        "INSERT INTO notifications_channel"
        " (name, enabled, attempts, first_delay_seconds, longest_delay_seconds, time_zone, collapse_seconds)"
        " VALUES ('', true, 10, 10, 3600, '', 300)",
    )


def statuses(database_url):
    return Counter(status for (status,) in execute(database_url, "SELECT status FROM notifications_notification"))


@contextmanager
def sender(database_url, url):
    """A process that is ready to send and waits for ``go``."""
    process = django_process.start(SCRIPT, database_url=database_url, NOTIFY_URLS=url)
    with process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def go(process):
    process.stdin.write("go\n")
    process.stdin.flush()


def sent_by(process):
    return int(process.stdout.readline())


def test_two_senders_share_the_work_and_send_nothing_twice(database_url, receiver):
    queue(database_url, MESSAGES)

    with sender(database_url, receiver.url) as first, sender(database_url, receiver.url) as second:
        go(first)
        go(second)
        shares = [sent_by(first), sent_by(second)]

    assert sum(shares) == MESSAGES
    assert min(shares) > 0
    assert Counter(receiver.bodies) == {f"message {number}": 1 for number in range(1, MESSAGES + 1)}
    assert statuses(database_url) == {"sent": MESSAGES}


def test_the_message_of_a_killed_sender_is_sent_by_another_once_the_lease_is_over(database_url, receiver):
    queue(database_url, 1)
    receiver.hang()

    with sender(database_url, receiver.url) as killed:
        go(killed)
        assert receiver.asked.wait(20)
        killed.kill()
    receiver.go_on()

    with sender(database_url, receiver.url) as early:
        go(early)
        assert sent_by(early) == 0
    assert statuses(database_url) == {"sending": 1}

    execute(
        database_url, "UPDATE notifications_notification SET next_attempt_at = next_attempt_at - interval '2 minutes'"
    )
    with sender(database_url, receiver.url) as late:
        go(late)
        assert sent_by(late) == 1
    assert set(receiver.bodies) == {"message 1"}  # twice if the first had left before the sender was killed
    assert statuses(database_url) == {"sent": 1}


def test_two_senders_send_repeats_as_one_and_count_each_once(database_url, receiver):
    collapse_repeats(database_url)
    queue(database_url, MESSAGES, kinds=KINDS)

    with sender(database_url, receiver.url) as first, sender(database_url, receiver.url) as second:
        go(first)
        go(second)
        for _ in range(5):  # some in time to go along, and others held back
            queue(database_url, KINDS, kinds=KINDS)
        assert sent_by(first) + sent_by(second) == KINDS

    held_back = statuses(database_url)["pending"]
    assert sum(counted(body) for body in receiver.bodies) + held_back == MESSAGES + 5 * KINDS
    assert {body.partition(" (")[0] for body in receiver.bodies} == {f"message {kind}" for kind in range(KINDS)}
    assert statuses(database_url)["sent"] == KINDS


def counted(body):
    """Return for how many messages *body* speaks."""
    found = re.search(r"×(\d+)", body)
    return int(found[1]) if found else 1


def test_a_message_that_was_delivered_but_not_recorded_when_its_sender_was_killed_arrives_again(database_url, receiver):
    queue(database_url, 1)
    receiver.hang()

    with sender(database_url, receiver.url) as killed:
        go(killed)
        assert receiver.asked.wait(20)
        with record_kept_waiting(database_url) as is_waiting:
            receiver.go_on()
            asyncio.run(eventually(is_waiting, what="a sender at its record"))
            killed.kill()
            killed.wait()
    assert receiver.bodies == ["message 1"]
    assert statuses(database_url) == {"sending": 1}

    execute(database_url, "UPDATE notifications_notification SET next_attempt_at = now()")
    with sender(database_url, receiver.url) as other:
        go(other)
        assert sent_by(other) == 1
    assert receiver.bodies == ["message 1", "message 1"]
    assert statuses(database_url) == {"sent": 1}


@contextmanager
def record_kept_waiting(database_url):
    """Lock the messages; yields a function that tells whether a sender waits. It never gets to its record."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with psycopg.connect(database_url) as lock:
        lock.execute("SELECT * FROM notifications_notification FOR UPDATE")
        yield lambda: execute(database_url, waiting)
        # A server goes on for a client that is dead: without this, the record would be made after all.
        execute(database_url, f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS sender")
        lock.rollback()
