"""Hearing every change as it happens: connect, subscribe, list what is, and again when the connection is lost.

It reconnects by itself rather than leave that to the supervisor: a lost connection is no crash, and
what was received meanwhile waits in memory to be stored.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Never

from django.conf import settings

from home import status
from home.backoff import delay
from home.drops import Drops
from home.home_assistant.client import STATES_TIMEOUT, is_complete
from home.home_assistant.entities import Listing
from home.home_assistant.errors import HomeAssistantError, TokenRefused
from home.home_assistant.inbox import Event, Inbox, Question
from home.home_assistant.socket import Socket, connect
from home.home_assistant.writer import storing


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long what is waited for, in seconds.

    *first_retry* to *longest_retry* after a lost connection; *refused_retry* after a refused token,
    for Home Assistant counts failed logins and tells its owner of each.
    """

    ping_every: float = 10.0
    pong: float = 15.0  # it comes after the list of all states, if that is under way
    first_retry: float = 0.5
    longest_retry: float = 5.0
    refused_retry: float = 60.0
    starting: float = 1.0
    between_lists: float = 5.0

    def after(self, failures: int, error: BaseException) -> float:
        """Return for how long to wait after so many *failures* in a row, the last of them *error*."""
        if isinstance(error, TokenRefused):
            return delay(1, first=self.refused_retry, most=self.refused_retry)
        return delay(failures, first=self.first_retry, most=self.longest_retry)


async def follow(patience: Patience = Patience()) -> None:
    """Keep the table of entities as Home Assistant is, change by change, until cancelled.

    What was received is stored before it returns.
    """
    drops = Drops()
    inbox = Inbox()
    await storing(inbox, drops).beside(_stay_connected(inbox, drops, patience))


async def _stay_connected(inbox: Inbox, drops: Drops, patience: Patience) -> Never:
    failures = 0
    while True:
        try:
            await _connection(inbox, drops, patience)
        except* HomeAssistantError as errors:
            failures = 1 if status.board.home_assistant_live.connected else failures + 1
            error = errors.exceptions[0]
            status.report_home_assistant_live(error=str(error))
            pause = patience.after(failures, error)
        finally:
            # However it ended, also by cancellation: connected it is no longer.
            status.report_home_assistant_live(error=status.board.home_assistant_live.error)
        await asyncio.sleep(pause)


async def _connection(inbox: Inbox, drops: Drops, patience: Patience) -> None:
    """Follow over one connection until it is lost; raise why, a group of HomeAssistantError."""

    def take(event: dict[str, Any], size: int) -> None:
        if event.get("event_type") == "state_changed" and not inbox.put(Event(event, size)):
            drops.count("too many waiting to be stored")

    async with (
        connect(settings.HOME_ASSISTANT_URL, settings.HOME_ASSISTANT_TOKEN) as socket,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(socket.listen(take))
        group.create_task(_ping(socket, patience))
        group.create_task(_keep_in_step(socket, inbox, patience))


async def _ping(socket: Socket, patience: Patience) -> Never:
    """Ask for a sign of life now and then: of a Home Assistant that hangs or is cut off nothing else is heard."""
    while True:
        await asyncio.sleep(patience.ping_every)
        await socket.command("ping", object, limit=patience.pong)


async def _keep_in_step(socket: Socket, inbox: Inbox, patience: Patience) -> Never:
    """Subscribe, and then list all states, so that nothing falls between; list again if *inbox* lost something."""
    await socket.command("subscribe_events", object, event_type="state_changed")
    while True:
        while not is_complete(await socket.command("get_config", dict)):
            # It has only some of its entities; the others would look removed.
            status.report_home_assistant_live(error="Home Assistant is starting, or in recovery mode")
            await asyncio.sleep(patience.starting)
        inbox.incomplete.clear()
        question = Question()
        inbox.put(question)
        held = await question.answer
        items = await socket.command("get_states", list, limit=STATES_TIMEOUT)
        inbox.put(Listing(items=items, held=held))
        status.report_home_assistant_live(connected=True)
        await inbox.incomplete.wait()
        await asyncio.sleep(patience.between_lists)
