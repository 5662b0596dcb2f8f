"""Steps into the table. What really changed is told in the transaction that stores it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from home.changes import EntityChange, EntityState, entities_changed, tell
from home.home_assistant.entities import NOTHING, Held, Step, text
from home.models import Entity

# A process may be slower than another by less than this; one that is slower asks for a list in vain.
FAR_BEHIND = timedelta(seconds=2)

_UPDATED_FIELDS = ["domain", "name", "state", "attributes", "last_changed", "last_updated", "removed_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What came of some steps. *is_behind*: one was far older than the table, as if a clock had been set back."""

    changes: Sequence[EntityChange]
    is_behind: bool


def held() -> dict[str, Held]:
    """Return what the table holds of every entity. Blocking; call it in a thread."""
    rows = Entity.objects.values_list("entity_id", "state", "last_updated", "removed_at")
    return {
        entity_id: Held(state=state, last_updated=updated, removed_at=removed)
        for entity_id, state, updated, removed in rows.iterator()
    }


def store(steps: Sequence[Step]) -> Stored:
    """Store *steps* in one transaction and tell what changed, step by step. Blocking; call it in a thread.

    A step counts if it is newer than the row. One from a full list also counts if the row is still
    what it was when the list was asked for; and only then, if the entity has gone. So of several
    processes that hear the same steps each is stored and told by one.
    """
    with transaction.atomic():
        rows = _lock(steps)
        is_behind = any(_is_far_behind(step, rows.get(step.entity_id)) for step in steps)
        changes = [change for step in steps if (change := _take(step, rows.get(step.entity_id)))]
        changed = {change.entity_id for change in changes}
        Entity.objects.bulk_create(
            [row for entity_id, row in rows.items() if entity_id in changed],
            update_conflicts=True,
            unique_fields=["entity_id"],
            update_fields=_UPDATED_FIELDS,
        )
        if changes:
            tell(entities_changed, changes=tuple(changes))
    return Stored(changes=changes, is_behind=is_behind)


def _lock(steps: Sequence[Step]) -> dict[str, Entity]:
    """Return the rows of all entities of *steps*, locked, those of new ones inserted.

    Everybody inserts and then locks in the order of the ids, so nobody waits for who waits for him.
    """
    entity_ids = {step.entity_id for step in steps}
    there = set(Entity.objects.filter(entity_id__in=entity_ids).values_list("entity_id", flat=True))
    new = {step.entity_id for step in steps if step.after} - there
    Entity.objects.bulk_create([_empty_row(entity_id) for entity_id in sorted(new)], ignore_conflicts=True)
    rows = Entity.objects.select_for_update().filter(entity_id__in=entity_ids).order_by("entity_id")
    return {row.entity_id: row for row in rows}


def _take(step: Step, row: Entity | None) -> EntityChange | None:
    """Let *row* be what *step* says, if that is news; return the change."""
    if row is None or not _is_news(step, row):
        return None
    before = None if _held_by(row) == NOTHING or row.removed_at else _state_of(row)
    if step.after is None:
        row.removed_at = step.at
    else:
        row.name = text(step.after.attributes.get("friendly_name"))
        row.state = step.after.state
        row.attributes = step.after.attributes
        row.last_changed = step.after.last_changed
        row.last_updated = step.after.last_updated
        row.removed_at = None
    return EntityChange(entity_id=step.entity_id, before=before, after=step.after)


def _is_news(step: Step, row: Entity) -> bool:
    held_now = _held_by(row)
    if held_now == NOTHING:
        return step.after is not None
    if step.replaces == held_now:
        return True
    if step.after is None:
        return step.replaces is None and row.removed_at is None and step.at > row.last_updated
    return step.at > row.last_updated


def _is_far_behind(step: Step, row: Entity | None) -> bool:
    return row is not None and step.replaces is None and step.at < row.last_updated - FAR_BEHIND


def _empty_row(entity_id: str) -> Entity:
    never: datetime = NOTHING.last_updated
    domain = entity_id.partition(".")[0]
    return Entity(entity_id=entity_id, domain=domain, state=NOTHING.state, last_changed=never, last_updated=never)


def _held_by(row: Entity) -> Held:
    return Held(state=row.state, last_updated=row.last_updated, removed_at=row.removed_at)


def _state_of(row: Entity) -> EntityState:
    return EntityState(
        state=row.state, attributes=row.attributes, last_changed=row.last_changed, last_updated=row.last_updated
    )
