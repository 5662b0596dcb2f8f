"""Does history tell what the ledger tells? What may differ is said in ``checker``."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.lives import Life, lives
from tests.chaos.records import Evidence, Limits, Row, Start, Violation

FAILURES_WITHIN = 2.0  # seconds in which a failure is in history
MAY_NOT_HAVE_BEGUN = ("running", "abandoned", "cancelled")


def check_history(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """Every start is in history, and nothing else."""
    started = {start.run_id: start for start in evidence.starts}
    yield from _rows_without_start(evidence, started)
    yield from _rows_that_differ(evidence, started)
    yield from _starts_without_row(evidence, limits)
    yield from _counts(evidence, started, limits)


def _rows_without_start(evidence: Evidence, started: dict[str, Start]) -> Iterator[Violation]:
    by_pid = {life.pid: life for life in lives(evidence)}
    for row in evidence.rows:
        if row.run_id in started:
            continue
        life = by_pid.get(row.pid)
        if row.status in MAY_NOT_HAVE_BEGUN and life and (life.away or life.was_killed or life.told < evidence.ended):
            continue
        yield Violation(rule="history", text="a run that the ledger lacks", lines=(str(row),))


def _rows_that_differ(evidence: Evidence, started: dict[str, Start]) -> Iterator[Violation]:
    for row in evidence.rows:
        start = started.get(row.run_id)
        if start is None or row.count > 1:
            continue
        told = (row.task, row.due, row.attempt, row.pid, row.term)
        if told != (start.task, start.due, start.attempt, start.pid, start.term):
            yield Violation(rule="history", text="a row that differs from the ledger", lines=(str(row), str(start)))


def _starts_without_row(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """A claimed run has its row before it starts, whatever comes; a failure gets one soon."""
    jobs = {job.name: job for job in evidence.jobs}
    by_pid = {life.pid: life for life in lives(evidence)}
    known = {row.run_id for row in evidence.rows}
    for start in evidence.starts:
        job, life = jobs[start.task], by_pid[start.pid]
        if start.run_id in known:
            continue
        if job.is_claimed and job.is_cluster:
            yield Violation(rule="history", text="a claimed run without a row", lines=(str(start),))
        elif job.fails_at(start.due, start.attempt) and not _died_soon_after(start, life, limits):
            yield Violation(rule="history", text="a failed run without a row", lines=(str(start),))


def _died_soon_after(start: Start, life: Life, limits: Limits) -> bool:
    return life.died and start.at > life.last_told - FAILURES_WITHIN - limits.tolerance


def _counts(evidence: Evidence, started: dict[str, Start], limits: Limits) -> Iterator[Violation]:
    """Process by process and task by task, the rows sum up to the starts."""
    counted = Counter[tuple[str, int]]()
    for row in evidence.rows:
        if row.run_id in started or row.status not in MAY_NOT_HAVE_BEGUN:
            counted[row.task, row.pid] += row.count
    made = Counter((start.task, start.pid) for start in evidence.starts)
    by_pid = {life.pid: life for life in lives(evidence)}
    for task, pid in sorted(counted.keys() | made.keys()):
        missing = made[task, pid] - counted[task, pid]
        allowed = _may_be_missing(evidence, task, by_pid.get(pid), limits)
        if not 0 <= missing <= allowed:
            text = (
                f"{task} by pid {pid}: {made[task, pid]} starts in the ledger, {counted[task, pid]} in history, "
                f"{allowed} may be missing"
            )
            yield Violation(rule="history", text=text, lines=_last_rows(evidence, task, pid))


def _may_be_missing(evidence: Evidence, task: str, life: Life | None, limits: Limits) -> int:
    if life is None or not life.died:
        return 0
    since = life.last_told - limits.summed_up - limits.tolerance
    return sum(start.task == task and start.pid == life.pid and start.at >= since for start in evidence.starts)


def _last_rows(evidence: Evidence, task: str, pid: int) -> tuple[str, ...]:
    own: list[Row] = [row for row in evidence.rows if (row.task, row.pid) == (task, pid)]
    return tuple(map(str, own[-3:]))
