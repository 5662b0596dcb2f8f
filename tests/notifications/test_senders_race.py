"""Several senders in processes of their own share one outbox on PostgreSQL."""

from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import django_process
from tests.support.postgres import execute

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).with_name("sender.py")
MESSAGES = 200


def queue(database_url, count):
    execute(
        database_url,
        "INSERT INTO notifications_notification"
        " (title, body, channel, status, attempts, next_attempt_at, delivered_to, last_error, created_at)"
        " SELECT '', 'message ' || n, '', 'pending', 0, now(), '[]', '', now() FROM generate_series(1, %s) AS n",
        count,
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
