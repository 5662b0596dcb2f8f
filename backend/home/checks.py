"""System checks: settings that cannot work are said at the start, not when they are first needed."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from home.mqtt.broker import Broker
from home.mqtt.errors import BrokerError


def check_home_assistant_settings(**_: Any) -> list[checks.CheckMessage]:
    """home.E001: the address is none. home.W001: only one of address and token is set."""
    url, token = settings.HOME_ASSISTANT_URL, settings.HOME_ASSISTANT_TOKEN
    if url and not _is_http(url):
        return [checks.Error("HOME_ASSISTANT_URL must look like http://homeassistant.local:8123", id="home.E001")]
    if bool(url) != bool(token):
        missing = "HOME_ASSISTANT_TOKEN" if url else "HOME_ASSISTANT_URL"
        return [checks.Warning(f"Home Assistant is not used: {missing} is not set", id="home.W001")]
    return []


def check_mqtt_settings(**_: Any) -> list[checks.CheckMessage]:
    """home.E002: MQTT_URL cannot be used."""
    if settings.MQTT_URL:
        try:
            Broker.from_url(settings.MQTT_URL)
        except BrokerError as error:
            return [checks.Error(str(error), id="home.E002")]
    return []


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
