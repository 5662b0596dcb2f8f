"""Doing what a rule says: one runtime, action by action, from where it stands."""

import logging
from collections.abc import Callable
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db import Error
from django.utils import timezone

from alarm import arming, events
from home.home_assistant.client import call_service
from home.home_assistant.errors import HomeAssistantError
from notifications import outbox
from rules import definitions, runtimes
from rules.definitions import (
    AlarmAction,
    AlarmEventAction,
    DelayAction,
    HomeAssistantAction,
    NotifyAction,
)
from rules.models import RuntimeStatus
from rules.runtimes import Claimed, ClaimLost, Failure

logger = logging.getLogger(__name__)


async def execute(claimed: Claimed) -> bool:
    """Execute one claimed runtime from its step on; True if it is done.

    It stops at the first action that fails; what becomes of that is in the runtime and its log.
    """
    try:
        return await _execute(claimed)
    except ClaimLost as error:
        logger.warning("%s: it took longer than its lease", error, extra={"action": "claim_lost"})
    except Error as error:
        # The kind only: the text of some database errors repeats the statement with its values.
        logger.warning("runtime %s was cut off: %s", claimed.pk, type(error).__name__, extra={"action": "cut_off"})
        await sync_to_async(runtimes.let_go)(claimed, now=timezone.now())
    return False


async def _execute(claimed: Claimed) -> bool:
    if not claimed.rule_enabled:
        await sync_to_async(runtimes.close)(claimed, RuntimeStatus.CANCELLED, now=timezone.now())
        return False
    if claimed.waits:
        begun = await sync_to_async(runtimes.begin)(claimed, now=timezone.now())
        if begun is None:
            return False
        claimed = begun
    if claimed.step >= len(claimed.actions):
        await sync_to_async(runtimes.close)(claimed, RuntimeStatus.DONE, now=timezone.now())
        return True
    while True:
        started_at = timezone.now()
        outcome = await _perform(claimed, started_at)
        if isinstance(outcome, Failure):
            await _fail(claimed, outcome, started_at)
            return False
        if isinstance(outcome, bool):
            return outcome
        claimed = outcome


async def _perform(claimed: Claimed, started_at: datetime) -> Claimed | Failure | bool:
    """Do the action in hand and record its success.

    Return what to do next; True if it was the last, False if the next one is to wait.
    """
    try:
        action = definitions.parse_action(claimed.actions[claimed.step], claimed.step)
        if isinstance(action, DelayAction):
            return await sync_to_async(runtimes.pause)(claimed, action.seconds, started_at, now=timezone.now())
        effect = await _prepare(action, claimed)
    except definitions.DefinitionError as error:
        return Failure(detail=str(error), permanent=True)
    except HomeAssistantError as error:
        return Failure(detail=str(error), permanent=error.permanent)
    following = await sync_to_async(runtimes.succeeded)(claimed, started_at, now=timezone.now(), effect=effect)
    return following or True


async def _fail(claimed: Claimed, failure: Failure, started_at: datetime) -> None:
    """Record the failure. Each attempt is in the action log; ours only tells of the end of them."""
    if await sync_to_async(runtimes.failed)(claimed, failure, started_at, now=timezone.now()):
        logger.warning(
            "rule %r gave up at action %s: %s",
            claimed.rule_name,
            claimed.step,
            failure.detail,
            extra={"action": "rule_gave_up"},
        )


async def _prepare(
    action: AlarmAction | AlarmEventAction | NotifyAction | HomeAssistantAction, claimed: Claimed
) -> Callable[[], str]:
    """Do what reaches out of the database; return what is to be done inside, with the record of it."""
    match action:
        case AlarmAction():
            return lambda: _command_alarm(action, claimed)
        case AlarmEventAction():
            return lambda: _record_event(action, claimed)
        case NotifyAction():
            return lambda: _queue_notification(action, claimed)
        case HomeAssistantAction():
            changed = await call_service(action.domain, action.service, action.data)
            return lambda: f"{action.domain}.{action.service} changed {len(changed)} entities"


def _command_alarm(action: AlarmAction, claimed: Claimed) -> str:
    status = arming.command(
        arming.Command(action.command),
        by=f"rule:{claimed.rule_id}",
        now=timezone.now(),
        details={"rule": claimed.rule_name, "runtime": claimed.pk},
    )
    return f"the alarm is {status.state.value}" if status else "nothing to change in the alarm's present state"


def _record_event(action: AlarmEventAction, claimed: Claimed) -> str:
    details = {"rule": claimed.rule_name, "runtime": claimed.pk}
    event = events.record(
        action.kind, action.message or claimed.rule_name, source=f"rule:{claimed.rule_id}", details=details
    )
    return f"alarm event {event.pk}"


def _queue_notification(action: NotifyAction, claimed: Claimed) -> str:
    notification = outbox.queue(
        action.title or claimed.rule_name,
        action.body,
        channel=action.channel,
        urgent=action.urgent,
        collapse_key=f"rule:{claimed.rule_id}:{claimed.step}",
        idempotency_key=f"rule-runtime:{claimed.pk}:{claimed.step}",
    )
    return f"notification {notification.pk}"
