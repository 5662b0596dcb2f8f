"""What the house needs done: look after Home Assistant, keep its entities, follow Frigate, forget old detections."""

from asyncsched import Every, Retry, Scope, register, service
from home import status
from home.config import home_assistant_configured, mqtt_configured, zwave_js_configured
from home.follow import follow
from home.home_assistant import live
from home.home_assistant.check import look
from home.home_assistant.sync import sync
from home.models import FrigateDetection, FrigateReview
from home.mqtt.errors import BrokerError
from home.zwave_js import follow as follow_zwave_js
from retention.batches import delete_in_batches
from retention.limits import cutoff


@register(
    "check_home_assistant",
    Every(seconds=30),
    run_on_start=True,
    timeout=25,
    enabled_when=home_assistant_configured,
    # Each process has a board and a network path of its own.
    scope=Scope.REPLICA,
)
async def check_home_assistant() -> str:
    """Look whether Home Assistant answers and put the result on the status board."""
    found = await look()
    status.report_home_assistant(found)
    return found.error or f"version {found.version}, {found.latency_ms} ms"


@register(
    "sync_entity_states",
    Every(seconds=300),
    run_on_start=True,
    timeout=120,
    enabled_when=home_assistant_configured,
    # Home Assistant often starts together with us and needs a while.
    retry=Retry(attempts=4, delay=10),
)
async def sync_entity_states() -> str:
    """Store the state of every entity of Home Assistant, and mark those it no longer has."""
    return str(await sync())


@service("home_assistant_live", enabled_when=home_assistant_configured)
async def home_assistant_live() -> None:
    """Stay connected to Home Assistant and store every change as it happens."""
    await live.follow()


@register("cleanup_frigate_detections", Every(seconds=3600), timeout=1800)
def cleanup_frigate_detections() -> int:
    """Delete camera detections and reviews older than the retention setting allows; return how many."""
    limit = cutoff("RETAIN_FRIGATE_DETECTIONS_DAYS")
    if limit is None:
        return 0
    detections = delete_in_batches(FrigateDetection.objects.filter(updated_at__lt=limit))
    return detections + delete_in_batches(FrigateReview.objects.filter(started_at__lt=limit))


@service("mqtt", enabled_when=mqtt_configured)
async def mqtt() -> None:
    """Stay connected to the MQTT broker: store what Frigate's cameras see, know whether Zigbee2MQTT is up."""
    try:
        await follow()
    except BrokerError as error:
        status.report_mqtt(status.MqttStatus(error=str(error)))
        raise


@service("zwave_js", enabled_when=zwave_js_configured)
async def zwave_js() -> None:
    """Stay connected to the Z-Wave JS server and know how it is."""
    await follow_zwave_js()
