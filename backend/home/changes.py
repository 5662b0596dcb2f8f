"""What changed in the house, told in the transaction that stores it.

Rooms above listen with a receiver in their ``AppConfig.ready``. A receiver runs in the thread and
the transaction of whoever stores: what it writes is stored with the change or not at all, so
nothing that follows from a change is lost or done twice. It must not wait for anything else.

What the house said is stored whatever a receiver raises; undone is what the receivers wrote. Only
if the database itself fails is all of it undone, to be tried again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.dispatch import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityState:
    """What an entity said at one time. Times are aware and in UTC."""

    state: str
    attributes: Mapping[str, Any]
    last_changed: datetime
    last_updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChange:
    """One step of one entity. *before* is None for one not known yet, *after* for one that is gone."""

    entity_id: str
    before: EntityState | None
    after: EntityState | None


entities_changed = Signal()
"""Sent with ``changes``, a sequence of EntityChange in the order in which they took place: every step
that was heard of, also if the table only ever holds the last."""

detections_changed = Signal()
"""Sent with ``detections``, a sequence of ``home.frigate.events.Detection`` as they are stored now."""


def tell(signal: Signal, **what: object) -> None:
    """Send *signal* within the transaction that stores *what* it tells; raise only what asks for another try.

    Raises:
        OperationalError: a deadlock, say, or the database went away. InterfaceError: likewise.
    """
    with transaction.atomic():
        for _, answer in signal.send_robust(sender=None, **what):  # Django logs what they raise
            if isinstance(answer, OperationalError | InterfaceError):
                raise answer
            if isinstance(answer, Exception):
                transaction.set_rollback(True)
