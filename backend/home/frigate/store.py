"""Detections and reviews into their tables, each merged with what is already known of it.

Several processes hear the same broker, so all of them store the same. Of each change one of them is
the first, and that one tells it (``home.changes``):

- A row is inserted with a mark, its start at NEW, and then all rows are locked in the order of
  their keys. Who finds the mark under the lock has inserted the row himself; nobody else ever sees
  it, for it is replaced in the same transaction.
- Any other row is merged with under its lock. If that changes nothing, somebody else has stored
  the same before, and told it.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import models, transaction

from home.changes import detections_changed, tell
from home.frigate.events import Detection
from home.frigate.inbox import Said
from home.frigate.reviews import Review
from home.models import FrigateDetection, FrigateReview

NEW = datetime(1970, 1, 1, tzinfo=UTC)  # no message has it: theirs lie after it
S = TypeVar("S", Detection, Review)


def store(batch: Sequence[Said]) -> None:
    """Store *batch*, of different events and reviews, in one transaction. Blocking; call it in a thread.

    Storing the same again, or an older message late, changes nothing. Detections that changed are
    told with ``detections_changed`` within the transaction, the oldest news first.
    """
    with transaction.atomic():
        changed = _store(FrigateDetection, "event_id", [said for said in batch if isinstance(said, Detection)])
        _store(FrigateReview, "review_id", [said for said in batch if isinstance(said, Review)])
        if changed:
            changed.sort(key=lambda detection: detection.updated_at)
            tell(detections_changed, detections=changed)


def _store(model: type[models.Model], key: str, batch: Sequence[S]) -> list[S]:
    """Insert or merge *batch*, whose rows are told apart by the column *key*; return what changed, as stored."""
    if not batch:
        return []
    ordered = sorted(batch, key=lambda said: said.key)
    rows = model._default_manager
    rows.bulk_create([_to_row(model, said, started_at=NEW) for said in ordered], ignore_conflicts=True)
    locked = rows.select_for_update().filter(**{f"{key}__in": [said.key for said in ordered]}).order_by(key)
    known = {said.key: said for said in (_from_row(type(ordered[0]), row) for row in locked)}
    changed = [result for said in ordered if (result := _merged(known.get(said.key), said)) != known.get(said.key)]
    if changed:
        columns = [field.name for field in fields(changed[0]) if field.name != key]
        rows.bulk_create(
            [_to_row(model, said) for said in changed],
            update_conflicts=True,
            unique_fields=[key],
            update_fields=columns,
        )
    return changed


def _merged(known: S | None, said: S) -> S:
    # None: the row was there and has just been deleted for its age.
    return said if known is None or known.started_at == NEW else known.merged(said)


def _to_row(model: type[models.Model], said: Said, **changes: Any) -> models.Model:
    values = {field.name: getattr(said, field.name) for field in fields(said)} | changes
    return model(**{name: list(value) if isinstance(value, tuple) else value for name, value in values.items()})


def _from_row(kind: type[S], row: models.Model) -> S:
    found = {field.name: getattr(row, field.name) for field in fields(kind)}
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return kind(**values)
