"""Facts, out of the database."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from django.utils import timezone

from alarm import arming
from home.changes import EntityState
from home.models import Entity, FrigateDetection
from rules.definitions import Sight
from rules.facts import OPEN_FRESH, AlarmFact, Facts, Needs, Sighting, counts_until, is_match

MOST = 100  # of the newest detections that are looked through for one in the right zone


def gather(needs: Needs, now: datetime, *, heard: Sequence[Sighting] = ()) -> Facts:
    """Return what the database knows at this moment of what *needs* names. Nothing is asked in vain.

    *heard* are detections just stored. A sight that they are enough for is looked at again a little
    sooner than if the database were asked for others that may count longer.
    """
    return Facts(
        now=now,
        zone=timezone.get_default_timezone(),
        entities=_entities(needs.entities),
        sightings=[sighting for sight in needs.sights for sighting in _sightings(sight, now, heard)],
        alarm=alarm_fact(arming.current()) if needs.alarm else None,
    )


def alarm_fact(status: arming.Status) -> AlarmFact:
    """Return what rules see of the alarm."""
    return AlarmFact(state=status.state.value, since=status.since)


def _entities(names: frozenset[str]) -> dict[str, EntityState]:
    if not names:
        return {}
    return {
        row.entity_id: EntityState(
            state=row.state, attributes=row.attributes, last_changed=row.last_changed, last_updated=row.last_updated
        )
        for row in Entity.objects.filter(entity_id__in=names, removed_at=None)
    }


def _sightings(sight: Sight, now: datetime, heard: Sequence[Sighting]) -> Iterator[Sighting]:
    """Yield what *heard* has for *sight*; if that no longer counts, also the newest matches that are over and not."""
    matching = [sighting for sighting in heard if is_match(sight, sighting)]
    if matching:
        longest = max(matching, key=partial(counts_until, sight))
        yield longest
        if now < counts_until(sight, longest):
            return
    horizon = now - max(timedelta(seconds=sight.within), OPEN_FRESH)
    wanted = {
        "camera": sight.camera,
        "label": sight.label,
        "sub_label": sight.sub_label,
        "top_score__gte": sight.min_score,
    }
    rows = FrigateDetection.objects.filter(
        updated_at__gt=horizon, **{name: value for name, value in wanted.items() if value is not None}
    )
    for is_open in (True, False):
        newest = rows.filter(ended_at__isnull=is_open).order_by("-updated_at")[: MOST if sight.zone else 1]
        yield from islice((row for row in newest if is_match(sight, row)), 1)
