"""Who may run an occurrence: one row, unique for task, occurrence and attempt, decides.

A ``running`` row carries a heartbeat, renewed while its process lives. A row whose heartbeat is
older than LEASE, or whose process is known to be dead, is marked ``abandoned``. The work of a task
in two processes at once is prevented by writing the task's state row first: that takes the row's
lock on PostgreSQL and MySQL, and the write lock on SQLite, so that two claimers come one by one.

Who claims as the leader must be the leader of the term that goes on: the lease row is read in the
same transaction. It is not locked. A frozen process would hold such a lock, and keep others from
leading; and should a new term begin in that very moment, the unique row still lets one run only.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from asyncsched.engine.runs import Claim, Occurrence, Refusal, RunStatus, SkipReason, Trigger
from asyncsched.errors import StoreUnavailable
from asyncsched.models import HandOff, TaskRun, TaskState
from asyncsched.policy import MOST_RERUNS, Overlap, Scope
from asyncsched.registry import Task
from asyncsched.storage import lease, presence, requests

HEARTBEAT = timedelta(seconds=15)
LEASE = timedelta(seconds=60)


def claim(
    task: Task,
    occurrence: Occurrence,
    *,
    replica: str,
    now: datetime,
    term: int | None = None,
    force: bool = False,
    knows_dead: bool = True,
) -> Claim | Refusal:
    """Insert the ``running`` row for *occurrence*, or say why not.

    *term* is that of the leader who asks, None if it is not as a leader that somebody asks; *force*
    lets it run beside another run; *knows_dead* is as of ``abandon_expired``.
    """
    claimant = replica if task.options.scope is Scope.REPLICA else ""
    abandon = partial(abandon_expired, now, by=replica, knows_dead=knows_dead)
    try:
        with transaction.atomic():
            _lock(task)
            current = lease.current_term()
            if term is not None and term != current:
                return Refusal(occurrence=occurrence, reason=SkipReason.NOT_LEADER)
            token = current if occurrence.trigger is Trigger.MANUAL and not claimant else term
            same = {"scheduled_for": occurrence.scheduled_for, "attempt": occurrence.attempt, "claimant": claimant}
            taken = TaskRun.objects.filter(task=task.name, **same)
            if taken.exists():
                _check_use(taken, term, abandon)
                return Refusal(occurrence=occurrence, reason=SkipReason.CLAIMED)
            other = None if force else _running(task, claimant)
            if other is not None:
                abandon()
                other = _running(task, claimant)
            if other is not None:
                _check_overlap(task, occurrence, other)
                return Refusal(occurrence=occurrence, reason=SkipReason.RUNNING_ELSEWHERE)
            row = TaskRun.objects.create(
                run_id=uuid.uuid4(),
                task=task.name,
                scheduled_for=occurrence.scheduled_for,
                attempt=occurrence.attempt,
                trigger=occurrence.trigger,
                status=RunStatus.RUNNING,
                started_at=now,
                replica=replica,
                claimant=claimant,
                heartbeat_at=now,
                term=token,
            )
    except IntegrityError:
        return Refusal(occurrence=occurrence, reason=SkipReason.CLAIMED)
    return Claim(run_id=row.run_id.hex, occurrence=occurrence, has_row=True, term=token)


def claim_asked(
    task: Task, occurrence: Occurrence, *, replica: str, now: datetime, term: int | None = None, knows_dead: bool = True
) -> Claim | Refusal:
    """Take up the request of *occurrence* and insert its ``running`` row, in one transaction, or say why not.

    Raises StoreUnavailable while the task is running elsewhere: the request waits.
    """
    with transaction.atomic():
        if not requests.take_up(task.name, occurrence.scheduled_for):
            return Refusal(occurrence=occurrence, reason=SkipReason.CLAIMED)
        answer = claim(task, occurrence, replica=replica, now=now, term=term, knows_dead=knows_dead)
        if isinstance(answer, Refusal) and answer.reason is not SkipReason.CLAIMED:
            transaction.set_rollback(True)  # the request stays
    if isinstance(answer, Refusal) and answer.reason is SkipReason.RUNNING_ELSEWHERE:
        raise StoreUnavailable("another process runs the task; the run that was asked for waits")
    return answer


def renew(run_ids: list[str], now: datetime) -> None:
    """Say that the process of the runs *run_ids* lives."""
    TaskRun.objects.filter(run_id__in=run_ids, status=RunStatus.RUNNING).update(heartbeat_at=now)


def withdraw(claim: Claim) -> None:
    """Take *claim* back before its run has begun: the occurrence can be claimed again."""
    TaskRun.objects.filter(run_id=uuid.UUID(claim.run_id), status=RunStatus.RUNNING).delete()


def withdraw_asked(claim: Claim) -> None:
    """The same for a run that was asked for: the request is there again."""
    with transaction.atomic():
        withdraw(claim)
        requests.put_back(claim.occurrence.task, claim.occurrence.scheduled_for)


def abandoned(tasks: Iterable[Task], now: datetime) -> list[Occurrence]:
    """Return what of *tasks* was abandoned and not run again: the last attempts, within the catch-up window.

    With one query, however many tasks there are: few runs are abandoned, and an index has them.
    """
    since = {task.name: now - task.options.catch_up_window for task in tasks}
    if not since:
        return []
    later = TaskRun.objects.filter(
        task=OuterRef("task"), scheduled_for=OuterRef("scheduled_for"), attempt__gt=OuterRef("attempt"), claimant=""
    )
    rows = TaskRun.objects.filter(
        ~Exists(later),
        status=RunStatus.ABANDONED,
        started_at__gte=min(since.values()),
        claimant="",
        attempt__lte=MOST_RERUNS,
    ).exclude(trigger=Trigger.MANUAL)
    found = rows.order_by("started_at").values_list("task", "scheduled_for", "attempt", "started_at")
    return [
        Occurrence(task=name, scheduled_for=scheduled_for, attempt=attempt)
        for name, scheduled_for, attempt, started_at in found
        if name in since and started_at >= since[name]
    ]


def abandon_expired(now: datetime, *, by: str, knows_dead: bool = True) -> None:
    """Mark the runs of processes that died ``abandoned``, on behalf of the process *by*; without any write nothing.

    Dead is a process of whose run nothing was heard for LEASE, or whose presence has expired, which
    happens at once when its lead is taken over. *knows_dead* is False if it may have expired for
    another reason: after an outage of the database everybody's has.
    """
    dead = presence.dead(but=by, is_steady=knows_dead)
    silent = Q(heartbeat_at__lte=now - LEASE) | Q(replica__in=dead)
    handed_off = HandOff.objects.filter(run_id=OuterRef("run_id"))  # those go on without it
    expired = TaskRun.objects.filter(silent, ~Exists(handed_off), status=RunStatus.RUNNING)
    if expired.exists():
        expired.update(status=RunStatus.ABANDONED, finished_at=now, error="its process ended without a word")


def _lock(task: Task) -> None:
    if not TaskState.objects.filter(task=task.name).update(task=task.name):
        TaskState.objects.get_or_create(task=task.name)


def _check_use(taken: QuerySet[TaskRun], term: int | None, abandon: Callable[[], None]) -> None:
    """Raise StoreUnavailable if the claim *taken*, of an earlier term than *term*, may yet be given back.

    A leader that has its answer only after its term gives it back.
    """
    earlier = taken.filter(status=RunStatus.RUNNING, term__lt=term or 0)
    if earlier.exists():
        abandon()
        if earlier.exists():
            raise StoreUnavailable("an earlier leader has claimed the occurrence, and may yet give it back")


def _check_overlap(task: Task, occurrence: Occurrence, other: TaskRun) -> None:
    """Raise StoreUnavailable unless it is certain that *other* was going on when *occurrence* came.

    Its process may be dead, or have begun only later, with an occurrence further back. And what is to
    be queued waits for it to end in any case.
    """
    if occurrence.trigger is Trigger.MANUAL:
        return  # who asks by hand is to be told that it is running
    if task.options.overlap is Overlap.QUEUE:
        raise StoreUnavailable("another process runs the task; this occurrence is queued")
    heard_of = other.heartbeat_at or other.started_at
    if not other.started_at < occurrence.scheduled_for <= heard_of:
        raise StoreUnavailable("another process runs the task, or has died")


def _running(task: Task, claimant: str) -> TaskRun | None:
    """Return a run of *task* that is going on."""
    if task.options.overlap is Overlap.ALLOW:
        return None
    return TaskRun.objects.filter(task=task.name, status=RunStatus.RUNNING, claimant=claimant).first()
