"""The parts of the MQTT connection that need no broker."""

import logging

import pytest
from aiomqtt import Message

from home.backoff import delay
from home.checks import check_home_assistant_settings, check_mqtt_settings
from home.drops import Drops
from home.frigate.events import read_event
from home.frigate.inbox import Inbox
from home.frigate.reviews import read_review
from home.mqtt.broker import Broker
from home.mqtt.errors import BrokerError
from home.mqtt.inbound import MAX_PAYLOAD, InboundQueue
from tests.home.frigate_messages import event, review


def message(payload: bytes) -> Message:
    return Message("frigate/events", payload, 1, False, 1, None)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://broker", Broker(host="broker", port=1883, tls=False)),
        ("mqtts://broker", Broker(host="broker", port=8883, tls=True)),
        ("mqtt://u:p%40ss%2F@h:1", Broker(host="h", port=1, tls=False, username="u", password="p@ss/")),
        ("mqtt://[::1]:1884/", Broker(host="::1", port=1884, tls=False)),
    ],
)
def test_an_address_is_read(url, expected):
    assert Broker.from_url(url) == expected


@pytest.mark.parametrize("url", ["http://h", "mqtt://", "mqtt://u:s3cret@h:99999", "mqtt://u:s3cret@h/topic", "h:1883"])
def test_an_address_that_cannot_work_is_refused_without_repeating_it(url):
    with pytest.raises(BrokerError) as error:
        Broker.from_url(url)

    assert error.value.permanent is True
    assert "s3cret" not in str(error.value)


def test_a_broker_is_printed_without_its_password():
    broker = Broker.from_url("mqtt://user:s3cret@host")

    assert "s3cret" not in f"{broker} {broker!r}"


def test_settings_that_cannot_work_are_said_by_the_system_check(settings):
    settings.MQTT_URL = "tcp://broker"
    settings.HOME_ASSISTANT_URL = "homeassistant.local:8123"

    assert [found.id for found in check_mqtt_settings() + check_home_assistant_settings()] == ["home.E002", "home.E001"]


@pytest.mark.parametrize("topic", ["zigbee2mqtt/#", "+", "a b", "/zigbee2mqtt", "zigbee2mqtt/", "a//b"])
def test_a_topic_that_is_none_is_said_by_the_system_check(settings, topic):
    settings.MQTT_URL = "mqtt://broker"
    settings.ZIGBEE2MQTT_BASE_TOPIC = topic
    assert [found.id for found in check_mqtt_settings()] == ["home.E004"]
    settings.ZIGBEE2MQTT_BASE_TOPIC = "house/zigbee2mqtt"
    assert check_mqtt_settings() == []


def test_zigbee2mqtt_without_a_broker_is_said_by_the_system_check(settings):
    settings.ZIGBEE2MQTT_BASE_TOPIC = "zigbee2mqtt"

    assert [found.id for found in check_mqtt_settings()] == ["home.W002"]


def test_half_a_configuration_of_home_assistant_is_said_by_the_system_check(settings):
    settings.HOME_ASSISTANT_URL = "http://homeassistant.local:8123"

    assert [found.id for found in check_home_assistant_settings()] == ["home.W001"]


def test_the_wait_between_tries_grows_up_to_its_limit():
    assert all(0.25 <= delay(1, first=0.5, most=10) <= 0.5 for _ in range(100))
    assert all(5 <= delay(10_000, first=0.5, most=10) <= 10 for _ in range(100))


def test_drops_are_logged_at_once_and_then_at_most_once_a_minute(caplog):
    now = [0.0]
    drops = Drops(now=lambda: now[0])
    for _ in range(1000):
        drops.count("not JSON")
    now[0] = 61.0
    drops.count("too large")

    assert drops.total == 1001
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert texts == ["messages dropped: 1 × not JSON", "messages dropped: 999 × not JSON, 1 × too large"]


async def test_the_queue_drops_what_is_too_large():
    drops = Drops()
    queue = InboundQueue(drops)
    queue.put_nowait(message(b"x" * (MAX_PAYLOAD + 1)))

    assert (queue.qsize(), drops.total) == (0, 1)


async def test_the_queue_holds_no_more_than_its_bytes_and_takes_again_when_read():
    drops = Drops()
    queue = InboundQueue(drops)
    for _ in range(100):
        queue.put_nowait(message(b"x" * MAX_PAYLOAD))
    held = queue.qsize()
    for _ in range(held):
        queue.get_nowait()
    queue.put_nowait(message(b"x"))

    assert (held, drops.total) == (64, 36)
    assert queue.qsize() == 1


async def test_the_inbox_takes_no_new_event_past_its_limit_but_news_of_known_ones():
    inbox = Inbox(limit=1)

    assert inbox.put(read_event(event("new"))) is True
    assert inbox.put(read_event(event("new", id="another"))) is False
    assert inbox.put(read_event(event("end", seconds=5))) is True
    assert [detection.ended_at is not None for detection in inbox.first(10)] == [True]


async def test_the_inbox_takes_only_so_many_names_in_all_however_they_are_spread_and_takes_again_when_it_is_read():
    inbox = Inbox(most_names=8)
    long = review("new", data={"zones": ["a", "b", "c"], "audio": ["bark"]})  # and a person and a detection: 6

    assert inbox.put(read_review(long)) is True
    assert inbox.put(read_event(event("new", zones=["a", "b", "c"]))) is False
    assert inbox.put(read_review(review("update", data={"zones": ["d", "e", "f"]}))) is False
    assert inbox.put(read_review(review("end", seconds=5))) is True
    inbox.remove(inbox.first(10))
    assert inbox.put(read_event(event("new", zones=["a", "b", "c"]))) is True


async def test_the_inbox_keeps_what_had_news_while_it_was_stored():
    inbox = Inbox()
    inbox.put(read_event(event("new")))
    storing = inbox.first(10)
    inbox.put(read_event(event("end", seconds=5)))
    inbox.remove(storing)

    assert len(inbox) == 1
