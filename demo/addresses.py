"""Where the simulated home listens, and how the alarm backend is told: by the environment, as in any other home."""

import secrets
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Ports of 127.0.0.1, and the token that Home Assistant asks for."""

    mqtt_port: int
    home_assistant_port: int
    phone_port: int
    token: str = field(repr=False)

    @classmethod
    def choose(cls) -> Self:
        """Return ports that are free now, and a new token."""
        mqtt, home_assistant, phone = _free_ports(3)
        token = secrets.token_urlsafe(32)
        return cls(mqtt_port=mqtt, home_assistant_port=home_assistant, phone_port=phone, token=token)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read back what ``environment`` has written; raise KeyError or ValueError if it is something else."""
        return cls(
            mqtt_port=_port(environment["MQTT_URL"]),
            home_assistant_port=_port(environment["HOME_ASSISTANT_URL"]),
            phone_port=_port(environment["NOTIFY_URLS"]),
            token=environment["HOME_ASSISTANT_TOKEN"],
        )

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings with which the alarm backend finds this home."""
        return {
            "MQTT_URL": f"mqtt://{HOST}:{self.mqtt_port}",
            "FRIGATE_TOPIC_PREFIX": "frigate",
            "ZIGBEE2MQTT_BASE_TOPIC": "zigbee2mqtt",
            "HOME_ASSISTANT_URL": f"http://{HOST}:{self.home_assistant_port}",
            "HOME_ASSISTANT_TOKEN": self.token,
            "NOTIFY_URLS": f"json://{HOST}:{self.phone_port}/",
        }


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        # All are held until the last is found, or one might be found twice.
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def _port(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        raise ValueError("an address of the simulated home names its port")
    return port
