"""Rules, what they point at, when they are due, and what they did. All times are UTC."""

import logging
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils import timezone

from rules import definitions
from rules.bell import bell
from rules.facts import needs

logger = logging.getLogger(__name__)

MAX_DETAIL = 500


class Rule(models.Model):
    """When something comes true, do something. How it stands is kept here: see ``rules.evaluate``."""

    STATE = ("holds", "holds_since", "look_at", "problem", "last_fired_at", "suspended_until")
    """What ``evaluate`` and ``firing`` write; a save of the rule leaves it alone, or forgets it."""
    DERIVED = (*STATE, "watches_frigate", "watches_alarm")
    """What is stored with each save, whatever else is."""

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField(default=True)
    definition = models.JSONField(
        default=dict, help_text='{"when": {...}, "for": seconds, "then": [{"type": ...}, ...]}'
    )
    cooldown_seconds = models.PositiveIntegerField(default=0, help_text="after firing it rests that long")
    holds = models.BooleanField(
        null=True, editable=False, help_text="whether the condition held last; empty: not known yet"
    )
    holds_since = models.DateTimeField(null=True, editable=False, help_text="since when it holds, or does not")
    look_at = models.DateTimeField(
        null=True, editable=False, db_index=True, help_text="when to look again although nothing happens; empty: never"
    )
    problem = models.CharField(max_length=500, blank=True, editable=False, help_text="why it cannot be executed")
    last_fired_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_until = models.DateTimeField(null=True, editable=False, help_text="it fired too often and rests")
    watches_frigate = models.BooleanField(default=False, editable=False)
    watches_alarm = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the rule and with it the entities its definition names.

        A rule that is new, defined anew or switched on is looked at afresh: what it waited for is
        cancelled, and what is already the case does not fire it.
        """
        now = timezone.now()
        with transaction.atomic():
            stored = locked_rules().filter(pk=self.pk).first()
            if stored and (stored.definition, stored.enabled) == (self.definition, self.enabled):
                for name in self.STATE:  # it may have changed since this copy was read
                    setattr(self, name, getattr(stored, name))
            else:
                self._forget(now)
                if stored:
                    stored.cancel_waits("the rule was changed", now=now)
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], *self.DERIVED}
            super().save(*args, **kwargs)
            self._store_references()
            transaction.on_commit(bell.ring)

    def clean(self) -> None:
        """Refuse a definition that cannot be executed, pointing at the place."""
        try:
            definitions.parse(self.definition)
        except definitions.DefinitionError as error:
            raise ValidationError({"definition": str(error)}) from None

    def cancel_waits(
        self, why: str, *, now: datetime, after: datetime | None = None, trace: dict[str, Any] | None = None
    ) -> None:
        """Cancel what waits for the condition to have held for long enough, and is due after *after*, and log it."""
        waiting = self.runtimes.filter(status=RuntimeStatus.PENDING, waits=True)
        for runtime in waiting if after is None else waiting.filter(due_at__gt=after):
            ended = {"status": RuntimeStatus.CANCELLED, "finished_at": now}
            if waiting.filter(pk=runtime.pk).update(**ended):
                self.log("cancelled", ActionStatus.CANCELLED, why, now=now, runtime_id=runtime.pk, trace=trace)

    def log(
        self,
        action: str,
        status: "ActionStatus",
        detail: str,
        *,
        now: datetime,
        runtime_id: int | None = None,
        trace: dict[str, Any] | None = None,
    ) -> None:
        """Write down what became of the rule as a whole, not of one of its actions."""
        RuleActionLog.objects.create(
            rule=self,
            runtime_id=runtime_id,
            action=action,
            step=None,
            status=status,
            detail=detail[:MAX_DETAIL],
            trace=trace,
            started_at=now,
            finished_at=now,
            created_at=now,
        )

    def _forget(self, now: datetime) -> None:
        """Have the rule looked at as if for the first time, and note what it has to listen to."""
        self.holds = self.holds_since = self.suspended_until = self.look_at = None
        self.problem = ""
        self.watches_frigate = self.watches_alarm = False
        try:
            needed = needs(definitions.parse(self.definition).when)
        except definitions.DefinitionError as error:
            self.problem = str(error)[:MAX_DETAIL]
            if self.enabled:
                logger.error("rule %r cannot be executed: %s", self.name, error, extra={"action": "rule_broken"})  # noqa: TRY400
            return
        self.look_at = now
        self.watches_frigate, self.watches_alarm = bool(needed.sights), needed.alarm

    def _store_references(self) -> None:
        named = definitions.entity_ids(self.definition)
        self.entity_refs.exclude(entity_id__in=named).delete()
        known = set(self.entity_refs.values_list("entity_id", flat=True))
        RuleEntityRef.objects.bulk_create(
            [RuleEntityRef(rule=self, entity_id=entity_id) for entity_id in sorted(named - known)],
            ignore_conflicts=True,
        )


def locked_rules() -> models.QuerySet[Rule]:
    """Return the rules, each to be locked until the transaction ends; rows that point at it may be added meanwhile."""
    return Rule.objects.order_by("pk").select_for_update(no_key=connection.features.has_select_for_no_key_update)


class RuleEntityRef(models.Model):
    """A rule's definition names this entity of Home Assistant, which may not exist (any more)."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="entity_refs")
    entity_id = models.CharField(max_length=255, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "entity_id"], name="rule_entity_once")]

    def __str__(self) -> str:
        return self.entity_id


class RuntimeStatus(models.TextChoices):
    """Where a runtime is on its way."""

    PENDING = "pending", "waiting"
    EXECUTING = "executing", "being executed"
    DONE = "done", "done"
    FAILED = "failed", "given up"
    CANCELLED = "cancelled", "cancelled"


class RuleRuntime(models.Model):
    """A rule's actions, to be executed once, at *due_at*: see ``rules.runtimes``."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="runtimes")
    due_at = models.DateTimeField()
    waits = models.BooleanField(
        default=False, help_text="for the condition to have held until due_at; cancelled if it ends before"
    )
    trace = models.JSONField(null=True, blank=True, help_text="why the rule fired")
    actions = models.JSONField(help_text="as the definition was when the rule fired; later edits do not change it")
    status = models.CharField(max_length=10, choices=RuntimeStatus, default=RuntimeStatus.PENDING)
    next_step = models.PositiveIntegerField(default=0, help_text="how many of the actions are done")
    attempts = models.PositiveIntegerField(default=0, help_text="how often the action in hand was begun")
    next_attempt_at = models.DateTimeField(help_text="while it is executed: when another process may take it over")
    claim = models.UUIDField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-due_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["rule", "due_at"], name="rule_due_once")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(status__in=(RuntimeStatus.PENDING, RuntimeStatus.EXECUTING)),
                name="rule_runtime_due",
            ),
            models.Index(
                fields=["rule", "due_at"],
                condition=models.Q(status=RuntimeStatus.PENDING, waits=True),
                name="rule_runtime_waits",
            ),
            models.Index(fields=["due_at"], name="rule_runtime_due_at"),
            models.Index(fields=["finished_at"], name="rule_runtime_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.due_at:%Y-%m-%d %H:%M:%S}"


class ActionStatus(models.TextChoices):
    """What became of one attempt at one action, or of a rule that fired."""

    SUCCEEDED = "succeeded", "succeeded"
    RETRYING = "retrying", "failed, will be tried again"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class RuleActionLog(models.Model):
    """One attempt at one action, or what became of the rule as a whole: fired, cancelled, suspended."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="action_logs")
    runtime = models.ForeignKey(RuleRuntime, on_delete=models.SET_NULL, null=True, blank=True)
    action = models.CharField(max_length=50, help_text="its type")
    step = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=0,
        help_text="its place among the rule's actions, from 0; empty for the rule itself",
    )
    status = models.CharField(max_length=10, choices=ActionStatus)
    detail = models.CharField(max_length=500, blank=True)
    trace = models.JSONField(null=True, blank=True, help_text="the condition, part by part, with what was seen")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["rule", "created_at"], name="rule_log_of_rule")]

    def __str__(self) -> str:
        return f"{self.action}: {self.status}"
