"""A house whose entities and cameras say what a test wants, at the time it wants, and whose rules hear of it."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from home.changes import EntityChange, EntityState
from home.frigate.events import Detection
from home.models import Entity, FrigateDetection
from rules import evaluate
from rules.models import RuleRuntime

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def at(seconds):
    """Return the instant so many seconds after the start."""
    return START + timedelta(seconds=seconds)


class House:
    """Changes are stored and told in one transaction, as Home Assistant's and Frigate's are."""

    def __init__(self, start=START):
        self.start = start

    def at(self, seconds):
        return self.start + timedelta(seconds=seconds)

    def tell(self, *steps, at_second=0):
        """Let entities, such as ``("binary_sensor.door", "on")``, change one after the other, all told together."""
        now = self.at(at_second)
        with transaction.atomic():
            evaluate.entities([self._step(entity_id, state, now) for entity_id, state in steps], now=now)

    def see(self, *, at_second=0, seen_at=None, ended=True, **fields):
        """Let Frigate tell of a detection."""
        frame = self.at(at_second if seen_at is None else seen_at)
        values = {
            "event_id": "1",
            "camera": "drive",
            "label": "person",
            "sub_label": "",
            "score": 0.5,
            "top_score": 0.8,
        }
        values |= {"zones": (), "started_at": frame, "ended_at": frame if ended else None, "updated_at": frame}
        detection = Detection(**(values | fields))
        with transaction.atomic():
            row = {name: getattr(detection, name) for name in Detection.__slots__ if name != "event_id"}
            FrigateDetection.objects.update_or_create(
                event_id=detection.event_id, defaults=row | {"zones": list(row["zones"])}
            )
            evaluate.detections([detection], now=self.at(at_second))

    def step(self, entity_id, before, after):
        """Return a change from one state to another."""
        return EntityChange(entity_id=entity_id, before=_state(before, self.start), after=_state(after, self.start))

    def _step(self, entity_id, state, now):
        row = Entity.objects.filter(entity_id=entity_id, removed_at=None).first()
        before = row and _state(row.state, now)
        values = {"state": state or "", "domain": entity_id.partition(".")[0], "last_changed": now, "last_updated": now}
        values["removed_at"] = None if state else now
        Entity.objects.update_or_create(entity_id=entity_id, defaults=values)
        return EntityChange(entity_id=entity_id, before=before, after=state and _state(state, now))


def _state(state, now):
    return EntityState(state=state, attributes={}, last_changed=now, last_updated=now)


def dues():
    """Return how many seconds after the start what is still to be executed is due, in order."""
    open_ = RuleRuntime.objects.filter(status="pending").order_by("due_at")
    return [round((runtime.due_at - START).total_seconds(), 3) for runtime in open_]
