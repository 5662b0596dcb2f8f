"""Where the broker is: MQTT_URL, read and checked."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from home.mqtt.errors import BrokerError

PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker's address. Printing it shows no password."""

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read ``mqtt[s]://user:password@host:port``; user, password and port may be left out.

        Characters with a meaning in addresses are percent-encoded in user and password.

        Raises:
            BrokerError: saying what is wrong, without repeating the address.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise BrokerError("MQTT_URL cannot be read: is the port a number up to 65535?", permanent=True) from None
        if parts.scheme not in PORTS:
            raise BrokerError("MQTT_URL must begin with mqtt:// or, with TLS, mqtts://", permanent=True)
        if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise BrokerError("MQTT_URL must look like mqtt://user:password@host:1883", permanent=True)
        return cls(
            host=parts.hostname,
            port=port or PORTS[parts.scheme],
            tls=parts.scheme == "mqtts",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
