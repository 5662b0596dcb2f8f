"""Entities: read from Home Assistant's state objects, compared with the table, stored in short batches."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from django.db import transaction
from django.utils.dateparse import parse_datetime

from home.models import Entity
from home.wire import storable

BATCH = 200  # rows in one transaction: some 20 ms on SQLite, which has one writer at a time
MAX_TEXT = 255  # Home Assistant's own limit for a state

_ENTITY_ID = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9_]{1,190}")
_UPDATED_FIELDS = ["domain", "name", "state", "attributes", "last_changed", "last_updated", "removed_at"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSummary:
    """How a sync changed the table, in numbers of entities."""

    total: int
    written: int
    removed: int

    def __str__(self) -> str:
        return f"{self.total} entities: {self.written} written, {self.removed} removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the table holds of an entity, as far as a sync must know to leave it alone."""

    state: str
    last_updated: datetime
    removed_at: datetime | None


def read_state(item: object, *, now: datetime) -> Entity | None:
    """Return the unsaved Entity that a state object describes; None if it has no proper ``entity_id``.

    Whatever else is missing or odd is made fit: a text is cut to its column, a missing time is *now*.
    """
    if not isinstance(item, dict) or not isinstance(entity_id := item.get("entity_id"), str):
        return None
    if not _ENTITY_ID.fullmatch(entity_id):
        return None
    attributes = item.get("attributes")
    attributes = storable(attributes) if isinstance(attributes, dict) else {}
    return Entity(
        entity_id=entity_id,
        domain=entity_id.partition(".")[0],
        name=_text(attributes.get("friendly_name")),
        state=_text(item.get("state")),
        attributes=attributes,
        last_changed=_moment(item.get("last_changed")) or now,
        last_updated=_moment(item.get("last_updated")) or now,
    )


def store_states(items: Sequence[object], *, now: datetime) -> SyncSummary:
    """Make the table say what the state objects *items*, all there are, say. Blocking; call it in a thread.

    New and changed entities are written, returning ones brought back, vanished ones marked with
    *now*. Each batch is a transaction of its own; cut short, the next sync finishes the work.
    """
    known = _known()
    entities = {entity.entity_id: entity for item in items if (entity := read_state(item, now=now))}
    changed = [entity for entity in entities.values() if _differs(entity, known.get(entity.entity_id))]
    vanished = [name for name, row in known.items() if row.removed_at is None and name not in entities]
    _in_batches(changed, _write)
    _in_batches(vanished, lambda names: Entity.objects.filter(entity_id__in=names).update(removed_at=now))
    return SyncSummary(total=len(entities), written=len(changed), removed=len(vanished))


def _known() -> dict[str, _Known]:
    rows = Entity.objects.values_list("entity_id", "state", "last_updated", "removed_at")
    return {
        entity_id: _Known(state=state, last_updated=updated, removed_at=removed)
        for entity_id, state, updated, removed in rows.iterator()
    }


def _differs(entity: Entity, known: _Known | None) -> bool:
    """True if the row must be written. Home Assistant touches ``last_updated`` with every change."""
    return known is None or (known.state, known.last_updated, known.removed_at) != (
        entity.state,
        entity.last_updated,
        None,
    )


def _write(entities: Sequence[Entity]) -> None:
    Entity.objects.bulk_create(
        entities, update_conflicts=True, unique_fields=["entity_id"], update_fields=_UPDATED_FIELDS
    )


def _in_batches(items: Sequence[Item], write: Callable[[Sequence[Item]], object]) -> None:
    for batch in _batches(items):
        with transaction.atomic():
            write(batch)


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _text(value: object) -> str:
    return storable(value)[:MAX_TEXT] if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """Return the aware UTC datetime in *value*, or None if it holds none."""
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):  # 30 February; the year 1 in a zone east of here
        return None
