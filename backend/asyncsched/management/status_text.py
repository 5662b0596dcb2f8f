"""What ``async_tasks status`` prints for people: a verdict, the processes, the tasks."""

from datetime import datetime

from asyncsched.management.screen import Screen
from asyncsched.management.sentences import NO_TASKS
from asyncsched.management.status import Status
from asyncsched.management.tables import Column, Table, columns, from_now, moment, terminal_width
from asyncsched.management.tones import Tone
from asyncsched.storage.presence_views import SHORT_ID, ReplicaView, names
from asyncsched.storage.situations import Situation, TaskSituation

ROOM_FOR_NOTES = 30  # characters; with less they go below the table

_OF_PROCESSES = (
    Column(name="PROCESS", is_name=True),
    Column(name="ROLE", is_toned=True),
    Column(name="STARTED", spare=1),
    Column(name="LAST SEEN"),
    Column(name="TASKS", right=True, spare=2),
    Column(name="VERSION", spare=3),
    Column(name="ID", spare=4),
)
_OF_TASKS = (
    Column(name="TASK", is_name=True),
    Column(name="STATE", is_toned=True),
    Column(name="NEXT"),
    Column(name="LAST RUN", is_toned=True),
    Column(name="RUNS", right=True, spare=2),
    Column(name="FAILED", right=True, spare=1),
)


def verdict(status: Status) -> str:
    """Return whether it is well, in one line; why not, in a line for each reason."""
    if not status.is_healthy:
        return "\n".join(f"NOT healthy: {reason}" for reason in status.reasons)
    if not status.is_elected:
        return "healthy: no task is overdue; settings.ASYNCSCHED['ELECTION'] is False, so no process tells of itself"
    count = len(status.living)
    processes = f"healthy: {count} process{'es' if count > 1 else ''}"
    leadership = status.leadership
    if not leadership.leads:
        return f"{processes}; no task needs a leader"
    leader = status.who([leadership.holder])
    return f"{processes}, {leader} leads since {moment(leadership.since)} (term {leadership.term})"


def show(screen: Screen, status: Status) -> None:
    """Show the verdict, the warnings and the tables."""
    screen.say(verdict(status), Tone.GOOD if status.is_healthy else Tone.BAD)
    if status.warnings:
        screen.say("")
    for warning in status.warnings:
        screen.say(f"warning: {warning}", Tone.WARNING)
    processes = _processes(status)
    for block in (*([processes] if processes else []), *_tasks(status, terminal_width())):
        screen.say("")
        if isinstance(block, Table):
            screen.table(block, is_cut=True)
        else:
            screen.say(block)


def _processes(status: Status) -> Table | None:
    if not status.replicas:
        return None
    called = names(status.replicas)
    rows = tuple(_process_row(replica, called[replica.replica], status.now) for replica in status.replicas)
    return Table(columns=_OF_PROCESSES, rows=rows)


def _process_row(replica: ReplicaView, name: str, now: datetime) -> tuple[str, ...]:
    return (
        name,
        replica.role,
        moment(replica.started_at),
        from_now(replica.seen_at, now),
        str(len(replica.tasks)),
        replica.version,
        replica.incarnation[:SHORT_ID],
    )


def _tasks(status: Status, width: int) -> list[Table | str]:
    """Return the table of tasks, and what there is to note, in a table of its own if it does not fit beside."""
    if not status.tasks:
        return [NO_TASKS]
    rows = [_task_row(task, status.now) for task in status.tasks]
    notes = [_note(task, status) for task in status.tasks]
    plain = Table(columns=_OF_TASKS, rows=tuple(rows))
    if not any(notes):
        return [plain]
    noted = tuple((*row, note) for row, note in zip(rows, notes, strict=True))
    if max(map(len, plain.plain().splitlines())) + ROOM_FOR_NOTES <= width:
        return [Table(columns=(*_OF_TASKS, Column(name="NOTES")), rows=noted)]
    below = Table(columns=columns("TASK", "NOTES"), rows=tuple((row[0], row[-1]) for row in noted if row[-1]))
    return [plain, below]


def _task_row(task: TaskSituation, now: datetime) -> tuple[str, ...]:
    last = task.last_run
    if last is None:
        last_words = "never"
    elif last.finished_at is None:
        last_words = f"began {from_now(last.started_at, now)}"
    else:
        last_words = f"{last.status.replace('_', ' ')} {from_now(last.finished_at, now)}"
    situation, next_run = task.situation.value, from_now(task.next_run, now)
    return task.name, situation, next_run, last_words, str(task.runs), str(task.failures)


def _note(task: TaskSituation, status: Status) -> str:
    notes = [_whereabouts(task, status)]
    if task.paused and task.situation is not Situation.PAUSED:
        notes.append("paused")
    if task.consecutive_failures > 1:
        notes.append(f"{task.consecutive_failures} failures in a row")
    if task.consecutive_failures and task.last_run and task.last_run.error:
        notes.append(task.last_run.error)
    return "; ".join(note for note in notes if note)


def _whereabouts(task: TaskSituation, status: Status) -> str:
    """Say where it runs, and who knows it, where that is not what one expects."""
    if task.situation is Situation.PARKED:
        since = f" since {moment(task.parked_since)}" if task.parked_since else ""
        return f"known to no live process{since}{', only to the code here' if task.is_registered else ''}"
    if task.running_on:
        return f"on {status.who(task.running_on)}"
    if task.situation is Situation.UNSERVED and status.leadership.leads:
        return "waits for a leader that knows it"
    return "" if task.is_registered else f"known to {status.who(task.known_by)} only, not to the code here"
