"""Which integrations this deployment has: the settings, read when asked so that tests can change them."""

from urllib.parse import urlsplit

from django.conf import settings

NEVER_ALLOWED = frozenset(
    {"backup", "command_line", "hassio", "homeassistant", "pyscript", "python_script", "rest_command", "shell_command"}
)
"""Domains of Home Assistant that run programs, stop it or send anything anywhere: of no use to an alarm."""


def home_assistant_configured() -> bool:
    """True if both HOME_ASSISTANT_URL and HOME_ASSISTANT_TOKEN are set."""
    return bool(settings.HOME_ASSISTANT_URL and settings.HOME_ASSISTANT_TOKEN)


def allowed_domains() -> frozenset[str]:
    """Return the domains of Home Assistant whose services may be called."""
    return frozenset(settings.HOME_ASSISTANT_ALLOWED_DOMAINS) - NEVER_ALLOWED


def mqtt_configured() -> bool:
    """True if MQTT_URL is set. Frigate is heard over MQTT, so it counts as configured by the same."""
    return bool(settings.MQTT_URL)


def zigbee2mqtt_configured() -> bool:
    """True if ZIGBEE2MQTT_BASE_TOPIC is set and MQTT_URL, over which it is heard, too."""
    return bool(settings.ZIGBEE2MQTT_BASE_TOPIC and settings.MQTT_URL)


def zwave_js_configured() -> bool:
    """True if ZWAVE_JS_URL is set."""
    return bool(settings.ZWAVE_JS_URL)


def without_secrets(url: str) -> str:
    """Return scheme, host and port of *url* for logs and errors: no user, password, path or query."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an address that cannot be read)"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
