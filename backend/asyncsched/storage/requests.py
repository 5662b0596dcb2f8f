"""What people ask of the scheduler, as rows: every running replica looks at them within two seconds."""

from datetime import datetime

from django.db.models import Q, QuerySet

from asyncsched.engine.ports import Requests
from asyncsched.engine.recollection import REQUEST_LASTS
from asyncsched.engine.runs import SkipReason
from asyncsched.models import TaskState
from asyncsched.storage import skips
from asyncsched.storage.database_time import database_now

NAME_LENGTH = 150  # of who asks: what its column holds


def set_paused(name: str, *, value: bool) -> bool:
    """Pause or resume the task *name*, whether it has ever run or not; return False if it already was so."""
    state, _ = TaskState.objects.get_or_create(task=name)
    # When it runs next is known anew when it has; until then it is not to count as overdue, whatever was told of it.
    changes = {"paused": value, "next_run_at": None, "excused_until": database_now(), "alerted_at": None}
    return bool(TaskState.objects.filter(pk=state.pk).exclude(paused=value).update(**changes))


def ask_run(name: str, *, by: str) -> datetime:
    """Ask, on behalf of *by*, for a run of the task *name* now; return the instant that names the run.

    The run has that instant as its ``scheduled_for``, in UTC by the database's clock, and the trigger
    ``manual``. Asking again before it has begun is asking once. Nothing is awaited: if no process
    begins it within REQUEST_LASTS, it is dropped.
    """
    now = database_now()
    TaskState.objects.get_or_create(task=name)
    nobody_asked = Q(run_asked_at=None) | Q(run_asked_at__lt=now - REQUEST_LASTS)
    if TaskState.objects.filter(nobody_asked, task=name).update(run_asked_at=now, run_asked_by=by[:NAME_LENGTH]):
        return now
    return TaskState.objects.values_list("run_asked_at", flat=True).get(task=name) or now


def wanted() -> QuerySet[TaskState, tuple[str, bool, datetime | None]]:
    """Return the query for what people want, to be made to rows of task, paused, run asked at."""
    states = TaskState.objects.filter(Q(paused=True) | Q(run_asked_at__isnull=False))
    return states.values_list("task", "paused", "run_asked_at")


def pending() -> Requests:
    """Return what people want now, with one query."""
    rows = list(wanted())
    return Requests(
        paused=frozenset(name for name, paused, _ in rows if paused),
        asked={name: asked_at for name, _, asked_at in rows if asked_at},
    )


def take_up(name: str, asked_at: datetime) -> bool:
    """Answer the request made at *asked_at*; return False if it has been answered. Who asked stays known."""
    return bool(TaskState.objects.filter(task=name, run_asked_at=asked_at).update(run_asked_at=None))


def put_back(name: str, asked_at: datetime) -> None:
    """The run that was to answer the request did not begin. Another request made since stands for both."""
    TaskState.objects.filter(task=name, run_asked_at=None).update(run_asked_at=asked_at)


def expire(name: str, asked_at: datetime) -> None:
    """Drop the request, which nobody began in time, and leave the reason among what did not run."""
    if take_up(name, asked_at):
        late = skips.Tally(task=name, reason=SkipReason.MISFIRE, first=asked_at, last=asked_at, count=1, claimant="")
        skips.write([late])
