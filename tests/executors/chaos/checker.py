"""Did every run that was handed off begin at most once, and end as history says? Pure: evidence in, violations out.

- ``double``: no run, and no attempt at an occurrence, began twice.
- ``lie``: what succeeded had ended; and what had ended, in a worker that was sound, succeeded.
- ``begun``: a run that began is not said to have found no worker.
- ``open``: of those that were claimed before everything healed, none is running.
- ``overlap``: no two runs of a task at once, unless the first counts as abandoned or over its time.
- ``dead``: once everything had healed, each task had a run that succeeded.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tests.chaos.records import Violation

SILENT = 8.0  # seconds until a worker that was not heard of, or could not be, may have been given up
ENDED = ("ended", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a run's function has noted itself, *at* a monotonic second."""

    run_id: str
    event: str
    """``began``, ``failed`` or ``ended``."""
    at: float
    process: int
    task: str
    due: str
    attempt: int
    worker: str
    told_to_stop: bool = False

    def __str__(self) -> str:
        stopped = ", told to stop" if self.told_to_stop else ""
        return f"{self.at:.2f} {self.task} {self.event} in {self.worker}/{self.process}{stopped}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run as history has it."""

    run_id: str
    task: str
    due: str
    attempt: int
    status: str
    error: str
    started_at: float
    """Seconds since the epoch."""

    def __str__(self) -> str:
        return f"row {self.run_id[:8]} {self.task} due {self.due} attempt {self.attempt}: {self.status} {self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it; *unsound* is when which server or worker was not itself, in monotonic seconds."""

    notes: tuple[Note, ...]
    rows: tuple[Row, ...]
    unsound: Mapping[str, tuple[tuple[float, float], ...]]
    healed_at: float
    """Seconds since the epoch."""
    recovery: float
    """Seconds from then until all was well, or nobody waited any more."""


def check(evidence: Evidence) -> list[Violation]:
    """Return everything that is not as it should be."""
    return [
        *_doubles(evidence),
        *_lies(evidence),
        *_open(evidence),
        *_overlaps(evidence),
        *_dead(evidence),
    ]


def _doubles(evidence: Evidence) -> Iterator[Violation]:
    began = [note for note in evidence.notes if note.event == "began"]
    runs = Counter(note.run_id for note in began)
    attempts = Counter((note.task, note.due, note.attempt) for note in began)
    for note in began:
        if runs[note.run_id] > 1 or attempts[note.task, note.due, note.attempt] > 1:
            yield _violation("double", f"{note.task} due {note.due} attempt {note.attempt}", evidence, note.run_id)


def _lies(evidence: Evidence) -> Iterator[Violation]:
    rows = {row.run_id: row for row in evidence.rows}
    last = {note.run_id: note for note in evidence.notes}
    for row in evidence.rows:
        if row.status == "succeeded" and (row.run_id not in last or last[row.run_id].event != "ended"):
            yield _violation("lie", "it has succeeded, but never ended", evidence, row.run_id)
    for run_id, note in last.items():
        row = rows.get(run_id)
        if row is None:
            yield _violation("lie", "history does not know it", evidence, run_id)
        elif row.status == "failed" and note.event != "failed":
            yield _violation("begun", "it began, but counts as failed", evidence, run_id)
        elif row.status == "timed_out" and "found no" in row.error:
            yield _violation("begun", "it began, but counts as never picked up", evidence, run_id)
        elif note.event in ENDED and row.status != _status_after(note) and not _is_excused(note, evidence):
            yield _violation("lie", "it had ended by itself, in a worker that was sound", evidence, run_id)


def _status_after(note: Note) -> str:
    if note.told_to_stop:
        return "timed_out"
    return "succeeded" if note.event == "ended" else "failed"


def _is_excused(note: Note, evidence: Evidence) -> bool:
    """True if its worker was not itself for a time that has to do with the run, or is only now about to tell."""
    began = next(first.at for first in evidence.notes if first.run_id == note.run_id)
    spans = evidence.unsound.get(note.worker, ())
    return any(begin - 1 <= note.at + SILENT and end + SILENT >= began for begin, end in spans)


def _open(evidence: Evidence) -> Iterator[Violation]:
    for row in evidence.rows:
        if row.status == "running" and row.started_at < evidence.healed_at:
            yield _violation("open", f"still running {evidence.recovery:.0f} s after all healed", evidence, row.run_id)


def _overlaps(evidence: Evidence) -> Iterator[Violation]:
    status = {row.run_id: row.status for row in evidence.rows}
    ends = {note.run_id: note.at for note in evidence.notes if note.event in ENDED}
    for task in sorted({note.task for note in evidence.notes}):
        began = [note for note in evidence.notes if note.task == task and note.event == "began"]
        for first, second in pairwise(began):
            is_given_up = status.get(first.run_id) in ("abandoned", "timed_out", "cancelled")
            is_another = second.run_id != first.run_id
            if is_another and ends.get(first.run_id, 0.0) > second.at and not is_given_up:
                yield _violation("overlap", f"two of {task} at once", evidence, first.run_id, second.run_id)


def _dead(evidence: Evidence) -> Iterator[Violation]:
    alive = {row.task for row in evidence.rows if row.status == "succeeded" and row.started_at > evidence.healed_at}
    for task in sorted({row.task for row in evidence.rows} - alive):
        yield Violation(rule="dead", text=f"{task} has not succeeded in {evidence.recovery:.0f} s since all healed")


def _violation(rule: str, text: str, evidence: Evidence, *run_ids: str) -> Violation:
    told = [*evidence.rows, *evidence.notes]
    return Violation(rule=rule, text=text, lines=tuple(str(each) for each in told if each.run_id in run_ids))
