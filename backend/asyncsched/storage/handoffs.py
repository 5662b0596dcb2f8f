"""Runs that go on in other processes: how a worker picks one up and tells of it, and who waits for its end.

Every step is one conditional write, so that of two processes that want to take it one does. Nothing
here compares clocks of two machines: that a worker lives shows in ``beats``, which rise.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from asyncsched.engine.runs import Claim, Occurrence, Outcome, RunStatus, Trigger
from asyncsched.models import HandOff, TaskRun
from asyncsched.storage import claims, lease, presence
from asyncsched.storage.texts import storable

UNKNOWN_FOR = timedelta(hours=1)  # during a deploy the process that leads may not know the task yet
State = HandOff.State
Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the worker says of a run, as of one look."""

    run_id: str
    worker: str
    """Empty as long as none has picked it up."""
    beats: int
    done: int | None
    total: int | None
    outcome: Outcome | None
    """Set once the run has ended."""


def offer(run_id: str, *, task: str, executor: str, owner: str) -> None:
    """Let a worker pick the run up from now on; *owner* waits for its end. To offer it again changes nothing."""
    offered = {"task": task, "executor": executor, "owner": owner, "offered_at": timezone.now()}
    HandOff.objects.get_or_create(run_id=uuid.UUID(run_id), defaults=offered)


def take_back(run_id: str) -> None:
    """Nobody knows that the run was offered: it was not, unless a worker has picked it up. It may be offered again."""
    HandOff.objects.filter(run_id=uuid.UUID(run_id), state=State.OFFERED).delete()


def withdraw(run_id: str, outcome: Outcome, *, owner: str) -> Seen | None:
    """Let no worker pick the run up any more: if none has, *outcome* is how it ended.

    Return how it stands then, None if *owner* is not the one to wait for it. Once more changes nothing.
    """
    rows = HandOff.objects.filter(owner=owner)
    _move(run_id, State.OFFERED, State.ENDED, rows=rows, outcome=_told(outcome))
    return look([run_id], owner).get(run_id)


def pick_up(run_id: str, worker: str) -> bool:
    """Let *worker* run it; return False if it is not to: another has it, it was withdrawn, or counts as ended."""
    return _move(run_id, State.OFFERED, State.PICKED_UP, rows=_wanted(), worker=worker[:150])


def beat(run_id: str, *, done: int, total: int | None) -> bool:
    """Say that the worker lives, and how far the run is; return False if it is to end early: it counts as ended."""
    row = HandOff.objects.filter(run_id=uuid.UUID(run_id))
    row.update(beats=F("beats") + 1, done=done, total=total)
    return _wanted().filter(run_id=uuid.UUID(run_id), state=State.PICKED_UP).exists()


def end(run_id: str, outcome: Outcome, *, done: int, total: int | None) -> bool:
    """Tell how the run ended, and how far it was; return False if it counts as ended already, in whatever way."""
    return _move(run_id, State.PICKED_UP, State.ENDED, outcome=_told(outcome), done=done, total=total)


def end_silent(run_id: str, outcome: Outcome, *, beats: int) -> bool:
    """Its worker has not been heard of for too long since *beats*: whatever it says after *outcome* comes too late.

    Return False if it has been heard of.
    """
    rows = HandOff.objects.filter(beats=beats)
    return _move(run_id, State.PICKED_UP, State.ENDED, rows=rows, outcome=_told(outcome))


def look(run_ids: Collection[str], owner: str) -> dict[str, Seen]:
    """Return those of *run_ids* that *owner* is still the one to wait for, as their workers see them."""
    rows = HandOff.objects.filter(run_id__in=[uuid.UUID(run_id) for run_id in run_ids], owner=owner)
    return {row.run_id.hex: _seen(row) for row in rows}


def overdue(task: str) -> dict[str, int]:
    """Return id and beats of those runs of *task* that count as ended, though their workers have not ended them."""
    rows = HandOff.objects.filter(task=task, state=State.PICKED_UP).exclude(run_id__in=_running().values("run_id"))
    return {run_id.hex: beats for run_id, beats in rows.values_list("run_id", "beats")}


def leave(run_ids: Collection[str], owner: str) -> None:
    """*owner* waits no more for the end of these runs, though they go on: another process is to."""
    rows = HandOff.objects.filter(run_id__in=[uuid.UUID(run_id) for run_id in run_ids], owner=owner)
    rows.update(owner="")


def is_any_going_on() -> bool:
    """Return whether there are runs whose end somebody waits for, or is to."""
    return HandOff.objects.filter(run_id__in=_running().values("run_id")).exists()


def take_over(
    tasks: Collection[str],
    *,
    owner: str,
    now: datetime,
    term: int | None,
    knows_dead: bool,
    attended: Collection[str] = (),
) -> list[Claim]:
    """Let *owner* wait for runs of *tasks* whose end nobody waits for any more; return their claims.

    With a *term* only if it goes on. *knows_dead* is as of ``claims.abandon_expired``. Runs of tasks
    that nobody here has known for UNKNOWN_FOR are abandoned. *attended* are those that *owner* waits for:
    if another is its own, it has not heard that it has taken that over.
    """
    with transaction.atomic():
        if term is not None and term != lease.current_term():
            return []
        dead = presence.dead(but=owner, is_steady=knows_dead)
        silent = _running().filter(heartbeat_at__lte=now - claims.LEASE)
        left = HandOff.objects.filter(
            Q(owner="") | Q(owner__in=dead) | Q(run_id__in=silent.values("run_id")),
            run_id__in=_running().values("run_id"),
        )
        before = {run_id: who for run_id, who in left.values_list("run_id", "owner") if run_id.hex not in attended}
        runs = _running().filter(run_id__in=before)
        _abandon_unknown(runs.exclude(task__in=tasks), now)
        taken = [
            run
            for run in runs.filter(task__in=tasks)
            if HandOff.objects.filter(run_id=run.run_id, owner=before[run.run_id]).update(owner=owner)
        ]
        claims.renew([run.run_id.hex for run in taken], now)
        return [_claim(run) for run in taken]


def _abandon_unknown(runs: Rows, now: datetime) -> None:
    error = "its process has ended, and no process that leads knows the task any more"
    unknown = runs.filter(heartbeat_at__lte=now - UNKNOWN_FOR)
    unknown.update(status=RunStatus.ABANDONED, finished_at=now, error=error)


def _claim(run: TaskRun) -> Claim:
    occurrence = Occurrence(
        task=run.task, scheduled_for=run.scheduled_for, trigger=Trigger(run.trigger), attempt=run.attempt
    )
    return Claim(run_id=run.run_id.hex, occurrence=occurrence, has_row=True, term=run.term, began_at=run.started_at)


def _seen(row: HandOff) -> Seen:
    outcome = Outcome.from_dict(row.outcome) if row.outcome else None
    return Seen(
        run_id=row.run_id.hex, worker=row.worker, beats=row.beats, done=row.done, total=row.total, outcome=outcome
    )


def _told(outcome: Outcome) -> dict[str, Any]:
    return {key: storable(text) if isinstance(text, str) else text for key, text in outcome.to_dict().items()}


def _move(run_id: str, before: str, after: str, *, rows: Rows | None = None, **values: Any) -> bool:
    rows = HandOff.objects.all() if rows is None else rows
    return bool(rows.filter(run_id=uuid.UUID(run_id), state=before).update(state=after, **values))


def _running() -> Rows:
    return TaskRun.objects.filter(status=RunStatus.RUNNING)


def _wanted() -> Rows:
    return HandOff.objects.filter(run_id__in=_running().values("run_id"))
