"""What the house and the alarm tell, each in the transaction that stores it, handed to the rules it concerns."""

from collections.abc import Sequence

from django.utils import timezone

from alarm.arming import Status
from alarm.changes import alarm_changed
from home.changes import EntityChange, detections_changed, entities_changed
from home.frigate.events import Detection
from rules import evaluate


def connect() -> None:
    """Begin to listen. Doing it again changes nothing."""
    entities_changed.connect(_entities_changed, dispatch_uid="rules")
    detections_changed.connect(_detections_changed, dispatch_uid="rules")
    alarm_changed.connect(_alarm_changed, dispatch_uid="rules")


def _entities_changed(sender: object, changes: Sequence[EntityChange], **_: object) -> None:
    evaluate.entities(changes, now=timezone.now())


def _detections_changed(sender: object, detections: Sequence[Detection], **_: object) -> None:
    evaluate.detections(detections, now=timezone.now())


def _alarm_changed(sender: object, after: Status, **_: object) -> None:
    evaluate.alarm(after, now=timezone.now())
