"""Anything at all, as a payload: each decoder reads or refuses it, and the service lives on."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from home.drops import Drops
from home.frigate.events import read_event
from home.frigate.inbox import Inbox
from home.frigate.reviews import read_review
from home.frigate.stats import read_stats
from home.frigate.store import store
from home.frigate.topics import routes, take_availability, take_stats
from home.models import FrigateDetection
from home.status import snapshot
from home.wire import Malformed
from home.zigbee2mqtt import read_state
from tests.home.frigate_messages import event, review, stats
from tests.home.mqtt_service import following, publish
from tests.support.deadline import eventually

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
huge_numbers = st.sampled_from([10**400, -(10**400), 1e308, -1e308, 2**63])


def fields_of(payload: bytes):
    """Return a strategy of names that mean something in such a message."""
    message = json.loads(payload)
    return st.sampled_from(sorted({*message, *message.get("after", {}), *message.get("service", {}), "data"}))


@st.composite
def spoilt(draw, payload: bytes) -> bytes:
    """A real message with anything in some of its fields, wherever they are."""
    message = json.loads(payload)
    changes = draw(st.dictionaries(fields_of(payload), json_values | huge_numbers, min_size=1, max_size=4))
    for part in (message, message.get("after"), message.get("service"), message.get("cameras")):
        if isinstance(part, dict):
            part.update({name: value for name, value in changes.items() if name in part})
    return json.dumps(message).encode()


payloads = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"[" * 100_000, b'{"after":' * 50_000, b"9" * 5_000, b'{"type": ' + b"9" * 5_000 + b"}"]),
    *(spoilt(message) for message in (event("update"), review("update"), stats(), stats(version="0.12"))),
)


@given(payloads)
@pytest.mark.parametrize("read", [read_event, read_review, read_stats, read_state])
def test_a_decoder_reads_or_refuses_whatever_comes(read, payload):
    with suppress(Malformed):
        read(payload)


@given(payloads)
def test_what_was_taken_can_be_shown(payload):
    for take in (take_availability, take_stats):
        with suppress(Malformed):
            take(payload)
    json.dumps(snapshot(), allow_nan=False).encode()


@pytest.mark.django_db
@examples(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(payloads, min_size=1, max_size=20))
def test_what_was_taken_can_be_stored(said):
    inbox = Inbox()
    taking = routes(inbox, Drops())
    for payload in said:
        for topic in ("frigate/events", "frigate/reviews"):
            with suppress(Malformed):
                taking[topic](payload)
    store(inbox.first(100))


@pytest.mark.django_db(transaction=True)
async def test_the_service_survives_all_of_it_over_a_real_broker(broker, settings):
    settings.ZIGBEE2MQTT_BASE_TOPIC = "zigbee2mqtt"
    said: list[bytes] = []

    @examples(max_examples=200, database=None)
    @given(payloads)
    def collect(payload):
        said.append(payload)

    collect()
    topics = ("frigate/events", "frigate/reviews", "frigate/stats", "frigate/available", "zigbee2mqtt/bridge/state")
    async with following() as task:
        for topic in topics:
            await publish(broker, *said, topic=topic)
        await publish(broker, event("new", id="after all of it"))
        await eventually(FrigateDetection.objects.filter(event_id="after all of it").aexists, within=30)

        assert not task.done()
