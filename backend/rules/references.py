"""Which rules point at entities that are gone.

While Home Assistant starts it knows only some of its entities, and it may be away for a weekend;
neither makes an entity gone. One is gone when Home Assistant was heard without it for all of
ORPHAN_GRACE:

- it is in the table but marked as removed, for that long (a sync clears the mark once it is back);
- or it is not in the table, the reference is that old, and Home Assistant was heard within that
  time: some entity that it still has was updated. A house never synced, or silent, has no orphans.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from home.models import Entity
from rules import definitions
from rules.models import Rule, RuleEntityRef

ORPHAN_GRACE = timedelta(days=7)


def orphans(now: datetime) -> QuerySet[RuleEntityRef]:
    """Return the references whose entity is gone for good."""
    before = now - ORPHAN_GRACE
    same = Entity.objects.filter(entity_id=OuterRef("entity_id"))
    gone = Q(Exists(same.filter(removed_at__lt=before)))
    if Entity.objects.filter(removed_at=None, last_updated__gte=before).exists():
        gone |= Q(~Exists(same), created_at__lt=before)
    return RuleEntityRef.objects.filter(gone)


def restore(entity_ids: Collection[str]) -> None:
    """Bring back the references of rules to entities that have come, in case they were gone for good before."""
    for rule in Rule.objects.filter(enabled=True):
        RuleEntityRef.objects.bulk_create(
            [
                RuleEntityRef(rule=rule, entity_id=entity_id)
                for entity_id in sorted(definitions.entity_ids(rule.definition).intersection(entity_ids))
            ],
            ignore_conflicts=True,
        )
