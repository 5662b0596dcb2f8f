"""What happened lately in and around the house: the newest events, changes of entities, and notifications."""

import zlib
from dataclasses import dataclass
from typing import Any

from alarm.entity_words import in_words
from alarm.models import AlarmEvent
from home.models import Entity
from notifications.models import Notification, Status

EVENTS = 10
ENTITIES = 8
NOTIFICATIONS = 8
# How a word is coloured, by the names that the page has for how runs ended.
TONES = {
    "rule_fired": "succeeded",
    "pending": "running",
    "code_refused": "running",
    "locked_out": "failed",
    "triggered": "failed",
    Status.SENT.value: "succeeded",
    Status.DEAD.value: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """Rows, newest first."""

    events: list[AlarmEvent]
    entities: list[Entity]
    notifications: list[Notification]

    @property
    def mark(self) -> str:
        """Another text whenever there is something new to see."""
        seen = [
            [event.pk for event in self.events],
            [(entity.entity_id, entity.state, entity.last_changed) for entity in self.entities],
            [(message.pk, message.status) for message in self.notifications],
        ]
        return f"{zlib.crc32(repr(seen).encode()):08x}"

    def as_shown(self, *, with_texts: bool) -> dict[str, Any]:
        """Return it in the words of the page; without *with_texts* the notifications say only how they fare."""
        return {
            "mark": self.mark,
            "events": [_event(event) for event in self.events],
            "entities": [_entity(entity) for entity in self.entities],
            "notifications": [_notification(message, with_text=with_texts) for message in self.notifications],
        }


def read() -> Lately:
    """Read the newest of each."""
    entities = Entity.objects.filter(removed_at=None).order_by("-last_changed")
    messages = Notification.objects.order_by("-created_at", "-pk")
    return Lately(
        events=list(AlarmEvent.objects.order_by("-created_at", "-pk")[:EVENTS]),
        entities=list(entities.only("entity_id", "name", "state", "attributes", "last_changed")[:ENTITIES]),
        notifications=list(messages.only("title", "body", "status", "created_at")[:NOTIFICATIONS]),
    )


def _event(event: AlarmEvent) -> dict[str, Any]:
    kind = event.kind.replace("_", " ")
    text = event.message or kind
    return {"at": event.created_at, "text": text, "word": kind, "tone": _tone(event.kind), "by": _by(event, text)}


def _by(event: AlarmEvent, text: str) -> str:
    """Say who did it; of a rule its name, unless *text* says it already."""
    if not event.source.startswith("rule:"):
        return event.source.removeprefix("user:").replace(":", " ")
    name = event.details.get("rule") if isinstance(event.details, dict) else None
    if not isinstance(name, str):  # an event of before rules told their name
        return event.source.replace(":", " ")
    return "" if name == text else f"rule {name}"


def _entity(entity: Entity) -> dict[str, Any]:
    text = entity.name or entity.entity_id
    word = in_words(entity.entity_id, entity.state, entity.attributes)
    return {"at": entity.last_changed, "text": text, "word": word, "entity_id": entity.entity_id}


def _notification(message: Notification, *, with_text: bool) -> dict[str, Any]:
    text = (message.title or message.body)[:200] if with_text else "Notification"
    return {
        "at": message.created_at,
        "text": text,
        "word": message.get_status_display(),
        "tone": _tone(message.status),
    }


def _tone(word: str) -> str:
    return TONES.get(word, "")
