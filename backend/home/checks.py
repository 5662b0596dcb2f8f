"""System checks: settings that cannot work are said at the start, not when they are first needed."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from home.config import NEVER_ALLOWED
from home.mqtt.broker import Broker
from home.mqtt.errors import BrokerError

_DOMAIN = re.compile(r"[a-z0-9_]{1,64}")
_TOPIC = re.compile(r"[^+#\s/\0]+(/[^+#\s/\0]+)*")


def check_home_assistant_settings(**_: Any) -> list[checks.CheckMessage]:
    """home.E001: the address is none. home.E003: no domain to be called. home.W001: only address or token is set."""
    if wrong := [name for name in settings.HOME_ASSISTANT_ALLOWED_DOMAINS if not _may_be_allowed(name)]:
        names = ", ".join(map(repr, wrong))
        return [checks.Error(f"HOME_ASSISTANT_ALLOWED_DOMAINS must not name {names}", id="home.E003")]
    url, token = settings.HOME_ASSISTANT_URL, settings.HOME_ASSISTANT_TOKEN
    if url and not _is_address(url, "http", "https"):
        return [checks.Error("HOME_ASSISTANT_URL must look like http://homeassistant.local:8123", id="home.E001")]
    if bool(url) != bool(token):
        missing = "HOME_ASSISTANT_TOKEN" if url else "HOME_ASSISTANT_URL"
        return [checks.Warning(f"Home Assistant is not used: {missing} is not set", id="home.W001")]
    return []


def check_mqtt_settings(**_: Any) -> list[checks.CheckMessage]:
    """home.E002: MQTT_URL cannot be used. home.E004: a topic is none. home.W002: Zigbee2MQTT without a broker."""
    found: list[checks.CheckMessage] = []
    if settings.MQTT_URL:
        try:
            Broker.from_url(settings.MQTT_URL)
        except BrokerError as error:
            found.append(checks.Error(str(error), id="home.E002"))
    for name in ("FRIGATE_TOPIC_PREFIX", "ZIGBEE2MQTT_BASE_TOPIC"):
        topic = getattr(settings, name)
        if topic and not _TOPIC.fullmatch(topic):
            found.append(checks.Error(f"{name} must be a topic such as house/frigate: no +, #, blank", id="home.E004"))
    if settings.ZIGBEE2MQTT_BASE_TOPIC and not settings.MQTT_URL:
        found.append(checks.Warning("Zigbee2MQTT is not followed: MQTT_URL is not set", id="home.W002"))
    return found


def check_zwave_js_settings(**_: Any) -> list[checks.CheckMessage]:
    """home.E005: ZWAVE_JS_URL is not the address of a WebSocket."""
    if settings.ZWAVE_JS_URL and not _is_address(settings.ZWAVE_JS_URL, "ws", "wss"):
        return [checks.Error("ZWAVE_JS_URL must look like ws://zwave.local:3000", id="home.E005")]
    return []


def _may_be_allowed(domain: str) -> bool:
    return bool(_DOMAIN.fullmatch(domain)) and domain not in NEVER_ALLOWED


def _is_address(url: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
