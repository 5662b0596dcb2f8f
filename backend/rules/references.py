"""Which rules point at entities that are gone.

While Home Assistant starts it knows only some of its entities, and it may be away for a weekend;
neither makes an entity gone. One is gone when Home Assistant was heard without it for all of
ORPHAN_GRACE:

- it is in the table but marked as removed, for that long (a sync clears the mark once it is back);
- or it is not in the table, the reference is that old, and Home Assistant was heard within that
  time: some entity that it still has was updated. A house never synced, or silent, has no orphans.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from home.models import Entity
from rules.models import RuleEntityRef

ORPHAN_GRACE = timedelta(days=7)


def orphans(now: datetime) -> QuerySet[RuleEntityRef]:
    """Return the references whose entity is gone for good."""
    before = now - ORPHAN_GRACE
    same = Entity.objects.filter(entity_id=OuterRef("entity_id"))
    gone = Q(Exists(same.filter(removed_at__lt=before)))
    if Entity.objects.filter(removed_at=None, last_updated__gte=before).exists():
        gone |= Q(~Exists(same), created_at__lt=before)
    return RuleEntityRef.objects.filter(gone)
