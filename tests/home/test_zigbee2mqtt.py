"""Zigbee2MQTT over a real broker: the board follows what it says of itself, in the forms of all its versions."""

import pytest

from home import status
from tests.home.mqtt_service import connected, following, publish
from tests.support.deadline import eventually

pytestmark = pytest.mark.django_db(transaction=True)

STATE = "house/zigbee2mqtt/bridge/state"


@pytest.fixture(autouse=True)
def configured(settings):
    settings.ZIGBEE2MQTT_BASE_TOPIC = "house/zigbee2mqtt"


def shown() -> dict:
    return status.snapshot()["zigbee2mqtt"]


@pytest.mark.parametrize(
    ("online", "offline"), [(b"online", b"offline"), (b'{"state":"online"}', b'{"state":"offline"}')]
)
async def test_its_state_is_known_from_the_retained_message_and_followed(broker, online, offline):
    await publish(broker, online, topic=STATE, retain=True)
    async with following():
        await eventually(lambda: shown() == {"configured": True, "available": True, "error": None})
        await publish(broker, b"", b"null", b'{"state": "broken"}', b"\xff", offline, topic=STATE)
        await eventually(lambda: shown()["error"] == "Zigbee2MQTT is offline")

    assert shown()["available"] is False


async def test_before_it_says_something_and_without_mqtt_it_is_not_known(broker):
    async with following():
        assert shown() == {"configured": True, "available": False, "error": f"nothing heard on {STATE} yet"}
        broker.kill()
        await eventually(lambda: not connected())

        assert shown()["error"] == "unknown while MQTT is not connected"


def test_without_a_broker_it_is_not_in_the_payload():
    assert "zigbee2mqtt" not in status.snapshot()
