"""What the scheduler remembers: runs, what did not run, and how each task stands."""

from django.db import models

from asyncsched.engine.runs import RunStatus, Trigger


class TaskRun(models.Model):
    """One run of one occurrence. A ``running`` row is also the claim that keeps others from running it."""

    run_id = models.UUIDField(unique=True, editable=False)
    task = models.CharField(max_length=100)
    scheduled_for = models.DateTimeField(help_text="The instant the run is for")
    attempt = models.PositiveSmallIntegerField(default=1)
    trigger = models.CharField(max_length=10, choices=[(trigger, trigger) for trigger in Trigger])
    status = models.CharField(max_length=10, choices=[(status, status) for status in RunStatus])
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    duration = models.FloatField(null=True, help_text="Seconds")
    lateness = models.FloatField(null=True, help_text="Seconds from due to started")
    result = models.TextField(default="", help_text="What the function returned, trimmed")
    error = models.TextField(default="")
    traceback = models.TextField(default="")
    replica = models.CharField(max_length=150, help_text="host:pid:incarnation of the process")
    claimant = models.CharField(
        max_length=150, default="", help_text="Empty where one run serves all processes, else the process"
    )
    heartbeat_at = models.DateTimeField(null=True, help_text="While running: when its process last said so")
    stall_seconds = models.FloatField(null=True, help_text="The longest time for which it blocked the event loop")
    # May be null, because an older version that still runs during a deploy writes rows without it.
    stall_where = models.TextField(null=True, help_text="The line at which it did so")  # noqa: DJ001

    class Meta:
        verbose_name = "run"
        constraints = [
            models.UniqueConstraint(
                fields=["task", "scheduled_for", "attempt", "claimant"], name="asyncsched_one_run_per_occurrence"
            )
        ]
        indexes = [
            models.Index(fields=["task", "-started_at"], name="asyncsched_run_task_started"),
            models.Index(fields=["-started_at"], name="asyncsched_run_started"),
            models.Index(fields=["status", "-started_at"], name="asyncsched_run_status_started"),
            models.Index(fields=["status", "task", "-started_at"], name="asyncsched_run_status_task"),
        ]

    def __str__(self) -> str:
        return f"{self.task} at {self.scheduled_for:%Y-%m-%d %H:%M:%S %Z}: {self.status}"


class TaskSkip(models.Model):
    """Occurrences that did not run, and why. Below a minute a row sums up those of one minute; else it is one event."""

    task = models.CharField(max_length=100)
    reason = models.CharField(max_length=30)  # without choices, so that a new reason needs no migration
    first_scheduled_for = models.DateTimeField(help_text="The first instant at which it did not run")
    last_scheduled_for = models.DateTimeField(help_text="The last one")
    count = models.PositiveBigIntegerField(help_text="How many there were")
    claimant = models.CharField(
        max_length=150, default="", help_text="Empty where one run serves all processes, else the process"
    )

    class Meta:
        verbose_name = "skipped occurrence"
        constraints = [
            models.UniqueConstraint(
                fields=["task", "reason", "first_scheduled_for", "claimant"], name="asyncsched_one_row_per_skip"
            )
        ]
        indexes = [
            models.Index(fields=["task", "-last_scheduled_for"], name="asyncsched_skip_task_last"),
            models.Index(fields=["-last_scheduled_for"], name="asyncsched_skip_last"),
            models.Index(fields=["reason", "-last_scheduled_for"], name="asyncsched_skip_reason_last"),
        ]

    def __str__(self) -> str:
        return f"{self.task} at {self.last_scheduled_for:%Y-%m-%d %H:%M:%S %Z}: {self.count} skipped ({self.reason})"


class TaskState(models.Model):
    """How one task stands, kept current by the process that runs it."""

    task = models.CharField(max_length=100, primary_key=True)
    paused = models.BooleanField(default=False)
    cursor = models.DateTimeField(null=True, help_text="Every occurrence up to here is settled")
    consecutive_failures = models.PositiveIntegerField(default=0)
    last_status = models.CharField(max_length=10, default="", blank=True)
    last_trigger = models.CharField(max_length=10, default="", blank=True)
    last_scheduled_for = models.DateTimeField(null=True)
    last_started_at = models.DateTimeField(null=True)
    last_finished_at = models.DateTimeField(null=True)
    last_duration = models.FloatField(null=True, help_text="Seconds")
    last_error = models.TextField(default="", blank=True)
    last_success_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "task"

    def __str__(self) -> str:
        return str(self.task)
