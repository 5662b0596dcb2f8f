"""Following what is said over MQTT: who hears which topic, and the two coroutines that hear and store."""

from django.conf import settings

from home import zigbee2mqtt
from home.drops import Drops
from home.frigate import topics as frigate
from home.frigate.inbox import Inbox
from home.frigate.writer import storing
from home.mqtt import connection
from home.mqtt.broker import Broker


async def follow() -> None:
    """Follow Frigate and Zigbee2MQTT over the broker of MQTT_URL and store what Frigate sees, until cancelled.

    What was received is stored before it returns.

    Raises:
        BrokerError: if MQTT_URL cannot be read.
    """
    broker = Broker.from_url(settings.MQTT_URL)
    drops = Drops()
    inbox = Inbox()
    routes = frigate.routes(inbox, drops) | zigbee2mqtt.routes()
    await storing(inbox, drops).beside(connection.follow(broker, routes, drops))
