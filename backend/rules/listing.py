"""How the rules stand, for ``rules list``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min, Q
from django.utils import timezone

from rules import words
from rules.models import Rule, RuntimeStatus

HEADER = ("RULE", "STATE", "CONDITION", "LAST FIRED", "NEXT")
SPACE = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One rule. Times are aware; *due_at* is when it does something next, None if nothing is due."""

    name: str
    enabled: bool
    problem: str
    holds: bool | None
    holds_since: datetime | None
    last_fired_at: datetime | None
    suspended_until: datetime | None
    due_at: datetime | None
    look_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs; times in ISO 8601 with their offset."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}

    def cells(self, now: datetime) -> tuple[str, ...]:
        """Return it for people, under HEADER."""
        return self.name, self._state(now), self._condition(), _moment(self.last_fired_at), self._next()

    def _state(self, now: datetime) -> str:
        if not self.enabled:
            return "disabled"
        if self.problem:
            return "broken"
        return "suspended" if self.suspended_until and now < self.suspended_until else "enabled"

    def _condition(self) -> str:
        if self.problem:
            return self.problem
        told = {True: "holds", False: "does not hold", None: "not known yet"}[self.holds]
        return f"{told} since {_moment(self.holds_since)}" if self.holds_since else told

    def _next(self) -> str:
        if self.due_at:
            return f"fires {_moment(self.due_at)}"
        return f"looks {_moment(self.look_at)}" if self.look_at and self.enabled else "-"


def standings() -> list[Standing]:
    """Return how all rules stand, by name."""
    is_open = Q(runtimes__status__in=(RuntimeStatus.PENDING, RuntimeStatus.EXECUTING))
    rules = Rule.objects.annotate(due_at=Min("runtimes__next_attempt_at", filter=is_open)).order_by("name")
    return [Standing(**{name: getattr(rule, name) for name in Standing.__slots__}) for rule in rules]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return *rows*, the header first, in aligned columns, a line each."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        SPACE.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _moment(value: datetime | None) -> str:
    return words.moment(timezone.localtime(value)) if value else "-"
