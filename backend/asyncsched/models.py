"""What the scheduler remembers: runs, what did not run, how each task stands, which processes live and who leads.

Columns that came later have a default in the database or may be null: during a deploy an older
version still writes rows, and leaves out what it does not know.
"""

from django.db import models

from asyncsched.engine.runs import RunStatus, Trigger


class TaskRun(models.Model):
    """One run of one occurrence, or several of one minute that went alike, in one row.

    A ``running`` row is also the claim that keeps others from running the occurrence.
    """

    run_id = models.UUIDField(unique=True, editable=False)
    task = models.CharField(max_length=100)
    scheduled_for = models.DateTimeField(help_text="The instant the run is for")
    attempt = models.PositiveSmallIntegerField(default=1)
    trigger = models.CharField(max_length=10, choices=[(trigger, trigger) for trigger in Trigger])
    status = models.CharField(max_length=10, choices=[(status, status) for status in RunStatus])
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(
        default=1,
        db_default=1,
        help_text="How many runs it stands for; of several it keeps the worst",
    )
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
    # May be null: see above.
    stall_where = models.TextField(null=True, help_text="The line at which it did so")  # noqa: DJ001
    term = models.BigIntegerField(null=True, help_text="Fencing token: the term in which it began")
    log = models.TextField(null=True, help_text="The latest lines it wrote to the log")  # noqa: DJ001

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


class HandOff(models.Model):
    """A run that an executor has handed off to another process, and what that one says of it.

    It is here that a worker picks the run up, once: whatever a broker does with the message, the
    function starts at most once. The run itself stays ``running`` until its outcome has been recorded.
    """

    class State(models.TextChoices):
        OFFERED = "offered"  # no worker has it yet
        PICKED_UP = "picked_up"
        ENDED = "ended"  # the outcome is here

    run_id = models.UUIDField(primary_key=True, editable=False)
    task = models.CharField(max_length=100)
    executor = models.CharField(max_length=100)
    owner = models.CharField(max_length=150, help_text="The process that waits for its end; empty if none does")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    offered_at = models.DateTimeField()
    worker = models.CharField(max_length=150, default="", help_text="host:pid of the process that has picked it up")
    beats = models.PositiveBigIntegerField(default=0, help_text="It rises as long as the worker lives")
    done = models.BigIntegerField(null=True, help_text="How far it is, of total")
    total = models.BigIntegerField(null=True)
    outcome = models.JSONField(null=True)

    class Meta:
        verbose_name = "hand-off"
        indexes = [
            models.Index(fields=["offered_at"], name="asyncsched_handoff_offered"),
            models.Index(fields=["task", "state"], name="asyncsched_handoff_task"),
        ]

    def __str__(self) -> str:
        return f"{self.task} to {self.executor}: {self.state}"


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
    runs = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Runs so far, in all processes")
    failures = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Those that failed or timed out")
    next_run_at = models.DateTimeField(null=True, help_text="Its next occurrence, as of when this row was written")
    run_asked_at = models.DateTimeField(null=True, help_text="Somebody wants a run now, and it has not begun yet")
    run_asked_by = models.CharField(max_length=150, default="", db_default="", blank=True)
    alerted_at = models.DateTimeField(null=True, help_text="When it was told that a success is overdue")
    excused_until = models.DateTimeField(
        null=True, help_text="Until then none was expected: it was paused, or its enabled_when said no"
    )

    class Meta:
        verbose_name = "task"
        permissions = [
            ("view_tasks", "Can watch tasks and their runs"),
            ("run_tasks", "Can run, pause and resume tasks"),
        ]

    def __str__(self) -> str:
        return str(self.task)


class Lease(models.Model):
    """Who leads: one row. ``engine.leadership`` says what each column means to whom."""

    name = models.CharField(max_length=50, primary_key=True)
    term = models.BigIntegerField(default=0, help_text="Fencing token: rises by one with each new leader")
    holder = models.CharField(max_length=150, default="", help_text="The process that leads; empty if it has resigned")
    beat = models.BigIntegerField(default=0, help_text="Counts the signs of life the leader has given when watched")
    watched = models.BooleanField(default=False, help_text="Another process waits to lead, and wants signs of life")
    seconds = models.FloatField(default=0.0, help_text="The lease time its holder goes by")
    since = models.DateTimeField(null=True, help_text="When the term began, by the database's clock")
    until = models.DateTimeField(null=True, help_text="When its holder resigned: it has begun no run later")

    class Meta:
        verbose_name = "leadership"

    def __str__(self) -> str:
        return f"{self.name}: term {self.term}, {self.holder or 'vacant'}"


class Term(models.Model):
    """One term of leadership: written by who began it, for people to read. Who leads is decided by Lease alone."""

    term = models.BigIntegerField(primary_key=True, help_text="Fencing token: rises by one with each new leader")
    replica = models.CharField(max_length=150, help_text="host:pid:incarnation of the process that led")
    since = models.DateTimeField(help_text="When the term began, by the database's clock")
    until = models.DateTimeField(null=True, help_text="When it resigned; empty if it still leads, or died")

    class Meta:
        verbose_name = "term of leadership"
        verbose_name_plural = "terms of leadership"

    def __str__(self) -> str:
        return f"term {self.term}: {self.replica}"


class LoopStall(models.Model):
    """A time for which the event loop of a process stood still, and who held it up: a task, a request, anything."""

    began_at = models.DateTimeField()
    seconds = models.FloatField()
    replica = models.CharField(max_length=150, help_text="host:pid:incarnation of the process")
    culprit = models.CharField(max_length=200, help_text="For people: task, service, request or asyncio task")
    where = models.TextField(help_text="The line it was seen at")
    task = models.CharField(max_length=100, default="", help_text="The task or service, empty if it was none")

    class Meta:
        verbose_name = "stall of the event loop"
        verbose_name_plural = "stalls of the event loop"
        indexes = [models.Index(fields=["-began_at"], name="asyncsched_stall_began")]

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s at {self.began_at:%Y-%m-%d %H:%M:%S %Z}: {self.culprit}"


class Replica(models.Model):
    """One process that runs a scheduler: its presence, renewed while it lives, and the tasks it knows."""

    replica = models.CharField(max_length=150, primary_key=True, help_text="host:pid:incarnation of the process")
    version = models.CharField(max_length=50)
    tasks = models.JSONField(help_text="What it knows: schedule in words and scope, by name of the task")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it last said that it lives, by the database's clock")
    expires_at = models.DateTimeField(help_text="When it is taken for dead, by the database's clock")

    class Meta:
        verbose_name = "process"
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return str(self.replica)
