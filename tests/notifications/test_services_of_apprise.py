"""Any service that Apprise knows will do: a mail server and one of ntfy's kind, on real sockets."""

import asyncio
import logging

import pytest

from notifications import outbox
from notifications.delivery import send_pending
from notifications.models import Notification
from notifications.transports.apprise_urls import AppriseTransport
from notifications.transports.base import Message
from tests.support.deadline import eventually
from tests.support.smtp import MailServer

pytestmark = pytest.mark.django_db


def mail_address(server):
    return f"mailto://user:pass@127.0.0.1:{server.port}?from=house@example.org&to=me@example.org&mode=insecure"


def text_of(mail):
    plain = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    return plain.get_payload(decode=True).decode().strip()


def test_a_message_arrives_as_mail():
    outbox.queue("Tür", "Sie ist offen")

    with MailServer() as server:
        assert send_pending(AppriseTransport([mail_address(server)]), limit=1) == 1

    [mail] = server.mails
    assert mail["To"] == "me@example.org"
    assert (str(mail["Subject"]), text_of(mail)) == ("=?utf-8?q?T=C3=BCr?=", "Sie ist offen")


def test_mail_that_is_refused_is_tried_again():
    outbox.queue("Door", "It is open")

    with MailServer(refuses=True) as server:
        assert send_pending(AppriseTransport([mail_address(server)]), limit=1) == 0

    assert Notification.objects.get().last_error == "NOTIFY_URLS entry 1 (mailto): did not take the message"


def test_a_message_arrives_at_a_server_of_the_kind_of_ntfy(receiver):
    outbox.queue("Door", "It is open")

    assert send_pending(AppriseTransport([f"ntfy://127.0.0.1:{receiver.port}/house"]), limit=1) == 1
    assert receiver.received == [{"topic": "house", "title": "Door", "message": "It is open"}]


class Pauses(logging.Handler):
    """Hears of the pauses that Apprise makes between two messages to a service."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def emit(self, record):
        self.count += record.getMessage().startswith("Throttling")


@pytest.fixture
def pauses():
    logger, handler = logging.getLogger("apprise"), Pauses()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


def test_there_is_no_pause_before_an_urgent_message(receiver, pauses):
    for body in ("one", "two", "three"):
        outbox.queue("Alarm", body, urgent=True)

    assert send_pending(AppriseTransport([f"ntfy://127.0.0.1:{receiver.port}/house"]), limit=3) == 3
    assert pauses.count == 0


async def test_an_urgent_message_does_not_wait_for_one_that_is_not_answered(receiver):
    [target] = AppriseTransport([receiver.url]).targets("")
    receiver.hang()
    ordinary = asyncio.create_task(asyncio.to_thread(target.send, Message(title="", body="ordinary")))
    await eventually(lambda: receiver.arrivals == 1, what="the ordinary message at the server")
    urgent = asyncio.create_task(asyncio.to_thread(target.send, Message(title="", body="urgent", urgent=True)))
    await eventually(lambda: receiver.arrivals == 2, what="the urgent message at the server")

    receiver.go_on()
    await asyncio.gather(ordinary, urgent)
