"""The status on its way to clients: encoded once per push for all processes, numbered per process.

Two kinds of messages share the numbers: the whole status, every two seconds, and the alarm alone, at
once when it changes. Whatever order they arrive in, no message leaves here with an older alarm than
one before it.
"""

import asyncio
import json
import logging
import os
import secrets
import socket
import time
from datetime import UTC, datetime
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import Error

from alarm import arming, lately
from alarm.board import board
from alarm.machine import Status
from alarm.status import Health, alarm_json, alarm_status, payload
from asyncsched import current_run
from asyncsched.web.mail import Mail

logger = logging.getLogger(__name__)

GROUP = "alarm.status"
FRESH = 10.0  # seconds for which the last push serves as the snapshot for a new client
LOOK_PATIENCE = 0.5  # seconds a push waits for the database, before it tells what is known
NEWS_PATIENCE = 1.0  # seconds a change waits for the channel layer; the next push tells it in any case
STATUS, ALARM = "system_status", "alarm_state"
UNKNOWN = alarm_json(None)  # what a process tells of the alarm that does not know of it, as during an update

News = dict[str, Any]
"""What goes through the layer: a message encoded, and beside it what a process wants to know of it."""


class Station:
    """Numbers this process's messages, and keeps the last status seen here, whoever sent it."""

    def __init__(self) -> None:
        self._source = ""
        self._sequence = 0
        self._latest: News | None = None
        self._latest_at = 0.0
        self.mark = ""

    async def push(self, health: Health | None) -> Mail:
        """Send the status of now to the clients of every process; return what was sent."""
        self._sequence += 1
        return await self._send(self._status(health))

    async def push_alarm(self, status: Status) -> Mail:
        """Send the alarm alone."""
        self._sequence += 1
        return await self._send(self._message(ALARM, alarm_json(status)))

    def compose(self, health: Health | None) -> Mail:
        """Return the status of now under the number of the last push, 0 before the first."""
        return _mail(_news(self._status(health)))

    def read(self, news: News) -> Mail:
        """Return what came through the layer, and keep it for clients to come."""
        if "alarm" not in news:  # as a process of an earlier release sends it, during an update
            news = _news(json.loads(news["text"]))
        if status := alarm_status(news["alarm"]):
            board.learn(status)
        self._keep(news)
        return _mail(news)

    def latest(self) -> Mail | None:
        """Return the last status seen in this process, None if it is too old to pass for the present."""
        if self._latest is None or time.monotonic() - self._latest_at >= FRESH:
            return None
        return _mail(self._latest)

    async def _send(self, message: dict[str, Any]) -> Mail:
        news = _news(message)
        mail = _mail(news)
        self._keep(news)
        await get_channel_layer().group_send(GROUP, news)
        return mail

    def _keep(self, news: News) -> None:
        if news["kind"] == STATUS:
            self._latest, self._latest_at = news, time.monotonic()

    def _status(self, health: Health | None) -> dict[str, Any]:
        return self._message(STATUS, payload(health)) | {"lately": self.mark}

    def _message(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": kind,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "sequence": self._sequence,
            "source": self._source or self._name_source(),
            "payload": content,
        }

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
        await _push(None)  # called as a plain function
        return None
    if run.trigger == "manual" and not run.health.tasks:
        return "not pushed: no scheduler runs in this process"
    await _push(run.health)
    return None


async def look(*, with_lately: bool = False) -> None:
    """Put what is stored on the board; without an answer in time what is known stays up."""
    try:
        async with asyncio.timeout(LOOK_PATIENCE):
            await database_sync_to_async(_read)(with_lately=with_lately)
    except (Error, TimeoutError) as error:
        logger.debug("the alarm is told as it was known: %s", type(error).__name__)  # the timers log the outage


async def announce() -> None:
    """Tell all clients of the change that this process has made, if it has made one that is not told yet.

    It never fails and does not wait for long: where the channel layer is away, the next push of the
    status tells the same.
    """
    if (news := board.take_news()) is None:
        return
    sending = asyncio.create_task(station.push_alarm(news))
    await asyncio.wait([sending], timeout=NEWS_PATIENCE)
    if not sending.done():
        sending.cancel()
    elif error := sending.exception():
        logger.warning("%s was not pushed: %s", news.state.value, type(error).__name__, extra={"action": "not_pushed"})


async def announce_always() -> None:
    """Tell of every change of this process at once, until cancelled."""
    while True:
        await board.news.wait()
        await announce()


async def _push(health: Health | None) -> None:
    await look(with_lately=True)
    await station.push(health)


def _read(*, with_lately: bool) -> None:
    board.learn(arming.current())
    if with_lately:
        station.mark = lately.read().mark


def _news(message: dict[str, Any]) -> News:
    """Return *message* encoded, with the alarm as this process knows it if that is newer."""
    if _is_outdated(_alarm_of(message)):
        known = alarm_json(board.status)
        content = known if message["type"] == ALARM else message["payload"] | {"alarm": known}
        message = message | {"payload": content}
    return {
        "type": "status.message",
        "kind": message["type"],
        "text": json.dumps(message, separators=(",", ":")),
        "source": message["source"],
        "sequence": message["sequence"],
        "alarm": _alarm_of(message),
    }


def _mail(news: News) -> Mail:
    """Return *news* for clients: as it is, but for an alarm of which this process knows something newer."""
    if _is_outdated(news["alarm"]):
        news = _news(json.loads(news["text"]))
    return Mail(text=news["text"], source=news["source"], sequence=news["sequence"])


def _is_outdated(alarm: dict[str, Any]) -> bool:
    return board.status is not None and board.status.version > alarm["version"]


def _alarm_of(message: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = message["payload"]
    return content if message["type"] == ALARM else content.get("alarm", UNKNOWN)
