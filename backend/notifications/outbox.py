"""The outbox, seen by those who have something to say, and by those who look after it.

A message is written as part of the transaction of its cause, by one INSERT that waits for nobody.
Whatever follows is up to the senders: see ``claims``.
"""

import hashlib
import json
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from asyncsched import Bell
from notifications.models import Notification, Status

MAX_TITLE = 200
MAX_BODY = 10_000
MAX_NAME = 100
MAX_KEY = 200

urgent_bell = Bell()
"""Rung when something urgent was queued in this process and its transaction is committed."""


def queue(
    title: str,
    body: str,
    *,
    channel: str = "",
    idempotency_key: str | None = None,
    urgent: bool = False,
    collapse_key: str = "",
) -> Notification:
    """Put a message into the outbox, as part of the caller's transaction: no cause, no message.

    With an *idempotency_key* that is taken, the message queued first is returned and no other is
    made. An *urgent* message goes before all others, at any hour and at once. Others may be held
    back by their channel, and sent as one with their repeats: messages of the same channel and
    *collapse_key*; without a key, of the same title and body. A title of more than 200
    characters is cut, and a body of more than 10,000.

    Raises:
        ValueError: if *body* is empty, *channel* longer than 100 or *idempotency_key* than 200 characters.
    """
    title, body = _storable(title, MAX_TITLE), _storable(body, MAX_BODY)
    if not body.strip():
        raise ValueError("body: a notification needs a text")
    for name, value, most in (("channel", channel, MAX_NAME), ("idempotency_key", idempotency_key or "", MAX_KEY)):
        if len(value) > most:
            raise ValueError(f"{name}: has {len(value)} characters, and at most {most} are possible")
    kind = "" if urgent else _kind(channel, [collapse_key] if collapse_key else [title, body])
    content = {"title": title, "body": body, "channel": channel, "urgent": urgent, "kind": kind}
    if urgent:
        transaction.on_commit(urgent_bell.ring)
    if idempotency_key is None:
        return Notification.objects.create(**content)
    return Notification.objects.get_or_create(idempotency_key=idempotency_key, defaults=content)[0]


def send_again(notifications: QuerySet[Notification], *, now: datetime) -> int:
    """Give messages that were given up or cancelled a fresh start, each for itself; return how many there were."""
    over = notifications.filter(status__in=(Status.DEAD, Status.CANCELLED))
    # Without a kind, no repeat of it that went meanwhile holds it back.
    return over.update(status=Status.PENDING, attempts=0, next_attempt_at=now, kind="", last_error="")


def cancel(notifications: QuerySet[Notification]) -> int:
    """Cancel messages that wait; return how many. One that is being sent is left alone."""
    return notifications.filter(status=Status.PENDING).update(status=Status.CANCELLED, leads=None)


def over_since(moment: datetime) -> QuerySet[Notification]:
    """Return the messages queued before *moment* that nothing more becomes of."""
    return Notification.objects.filter(created_at__lt=moment).exclude(status__in=(Status.PENDING, Status.SENDING))


def _storable(text: str, most: int) -> str:
    """Return *text* as databases take it, without NUL and half characters, and at most *most* characters of it."""
    return text[:most].replace("\0", "").encode(errors="replace").decode()


def _kind(channel: str, marks: list[str]) -> str:
    return hashlib.sha256(json.dumps([channel, *marks]).encode()).hexdigest()
