"""The status on its way to clients: encoded once per push, numbered per process."""

import json
import os
import secrets
import socket
import time
from datetime import UTC, datetime
from typing import Any

from channels.layers import get_channel_layer

from alarm.status import Health, payload
from asyncsched import current_run
from asyncsched.web.mail import Mail

GROUP = "alarm.status"
FRESH = 10.0  # seconds for which the last push serves as the snapshot for a new client


class Station:
    """Numbers this process's messages, and keeps the last one seen here, whoever sent it."""

    def __init__(self) -> None:
        self._source = ""
        self._sequence = 0
        self._latest: Mail | None = None
        self._latest_at = 0.0

    async def push(self, health: Health | None) -> Mail:
        """Send the status of now to the clients of every process; return what was sent."""
        self._sequence += 1
        mail = self.compose(health)
        self._keep(mail)
        message = {"type": "status.message", "text": mail.text, "source": mail.source, "sequence": mail.sequence}
        await get_channel_layer().group_send(GROUP, message)
        return mail

    def compose(self, health: Health | None) -> Mail:
        """Return the status of now under the number of the last push, 0 before the first."""
        source = self._source or self._name_source()
        message = {
            "type": "system_status",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "sequence": self._sequence,
            "source": source,
            "payload": payload(health),
        }
        return Mail(text=json.dumps(message, separators=(",", ":")), source=source, sequence=self._sequence)

    def read(self, message: dict[str, Any]) -> Mail:
        """Return what a layer message carries, and keep it for clients to come."""
        mail = Mail(text=message["text"], source=message["source"], sequence=message["sequence"])
        self._keep(mail)
        return mail

    def latest(self) -> Mail | None:
        """Return the last message seen in this process, None if it is too old to pass for the present."""
        return self._latest if time.monotonic() - self._latest_at < FRESH else None

    def _keep(self, mail: Mail) -> None:
        self._latest, self._latest_at = mail, time.monotonic()

    def _name_source(self) -> str:
        # At the first use, not at import: a server may fork its workers in between.
        self._source = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        return self._source


station = Station()


async def broadcast() -> str | None:
    """Push the status of now; return None, or why there was nothing to push.

    A run by hand in a process of its own pushes nothing: that process does not follow the house and
    would tell everybody that all of it is down.
    """
    try:
        run = current_run()
    except LookupError:
        await station.push(None)  # called as a plain function
        return None
    if run.trigger == "manual" and not run.health.tasks:
        return "not pushed: no scheduler runs in this process"
    await station.push(run.health)
    return None
