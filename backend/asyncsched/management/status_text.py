"""What ``async_tasks status`` prints for people: a verdict, the processes, the tasks."""

from datetime import datetime

from asyncsched.management.status import Status
from asyncsched.management.tables import about, moment, table, terminal_width
from asyncsched.storage.presence_views import SHORT_ID, ReplicaView, names
from asyncsched.storage.situations import Situation, TaskSituation

ROOM_FOR_NOTES = 30  # characters; with less they go below the table


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


def details(status: Status, *, width: int | None = None) -> str:
    """Return warnings and tables, in lines of *width* characters, by default the terminal's."""
    width = terminal_width() if width is None else width
    warnings = "\n".join(f"warning: {warning}" for warning in status.warnings)
    blocks = (warnings, _processes(status, width), _tasks(status, width))
    return "\n\n".join(block for block in blocks if block)


def _processes(status: Status, width: int) -> str:
    if not status.replicas:
        return ""
    called = names(status.replicas)
    rows = [_process_row(replica, called[replica.replica], status.now) for replica in status.replicas]
    header = ("PROCESS", "ROLE", "STARTED", "LAST SEEN", "TASKS", "VERSION", "ID")
    return table(header, rows, width=width, right={"TASKS"}, spare=("ID", "VERSION", "TASKS", "STARTED"))


def _process_row(replica: ReplicaView, name: str, now: datetime) -> tuple[str, ...]:
    return (
        name,
        replica.role,
        moment(replica.started_at),
        _ago(now, replica.seen_at),
        str(len(replica.tasks)),
        replica.version,
        replica.incarnation[:SHORT_ID],
    )


def _tasks(status: Status, width: int) -> str:
    if not status.tasks:
        return "No tasks are registered: put @register functions into an installed app's tasks.py."
    header = ("TASK", "STATE", "NEXT", "LAST RUN", "RUNS", "FAILED")
    rows = [_task_row(task, status.now) for task in status.tasks]
    notes = [_note(task, status) for task in status.tasks]
    right = {"RUNS", "FAILED"}
    plain = table(header, rows, width=width, right=right, spare=("RUNS", "FAILED"))
    if not any(notes):
        return plain
    noted = [(*row, note) for row, note in zip(rows, notes, strict=True)]
    if max(len(line) for line in plain.splitlines()) + ROOM_FOR_NOTES <= width:
        return table((*header, "NOTES"), noted, width=width, right=right)
    below = table(("TASK", "NOTES"), [(row[0], row[-1]) for row in noted if row[-1]], width=width)
    return f"{plain}\n\n{below}"


def _task_row(task: TaskSituation, now: datetime) -> tuple[str, ...]:
    last = task.last_run
    if last is None:
        last_words = "never"
    elif last.finished_at is None:
        last_words = f"began {_ago(now, last.started_at)}"
    else:
        last_words = f"{last.status.replace('_', ' ')} {_ago(now, last.finished_at)}"
    return task.name, task.situation.value, _next(task, now), last_words, str(task.runs), str(task.failures)


def _next(task: TaskSituation, now: datetime) -> str:
    if task.next_run is None:
        return "-"
    return f"in {about(task.next_run - now)}" if task.next_run > now else _ago(now, task.next_run)


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


def _ago(now: datetime, when: datetime) -> str:
    return f"{about(now - when)} ago"
