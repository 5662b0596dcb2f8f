"""Rules, what they point at, when they are due, and what they did. All times are UTC."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from rules import definitions


class Rule(models.Model):
    """When something is the case, do something."""

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField(default=True)
    definition = models.JSONField(default=dict, help_text='{"conditions": {...}, "actions": [{"type": ...}, ...]}')
    cooldown_seconds = models.PositiveIntegerField(default=0, help_text="after firing it rests that long")
    last_fired_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the rule and with it the entities its definition names."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            self._store_references()

    def clean(self) -> None:
        """Refuse a definition that cannot be executed, pointing at the place."""
        try:
            definitions.parse(self.definition)
        except definitions.DefinitionError as error:
            raise ValidationError({"definition": str(error)}) from None

    def _store_references(self) -> None:
        named = definitions.entity_ids(self.definition)
        self.entity_refs.exclude(entity_id__in=named).delete()
        known = set(self.entity_refs.values_list("entity_id", flat=True))
        RuleEntityRef.objects.bulk_create(
            [RuleEntityRef(rule=self, entity_id=entity_id) for entity_id in sorted(named - known)],
            ignore_conflicts=True,
        )


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
            models.Index(fields=["finished_at"], name="rule_runtime_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.due_at:%Y-%m-%d %H:%M:%S}"


class ActionStatus(models.TextChoices):
    """What became of one attempt at one action."""

    SUCCEEDED = "succeeded", "succeeded"
    RETRYING = "retrying", "failed, will be tried again"
    FAILED = "failed", "failed"


class RuleActionLog(models.Model):
    """One attempt at one action."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="action_logs")
    runtime = models.ForeignKey(RuleRuntime, on_delete=models.SET_NULL, null=True, blank=True)
    action = models.CharField(max_length=50, help_text="its type")
    step = models.PositiveIntegerField(default=0, help_text="its place among the rule's actions, from 0")
    status = models.CharField(max_length=10, choices=ActionStatus)
    detail = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.action}: {self.status}"
