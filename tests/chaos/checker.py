"""Did every occurrence run, once, and does history say so? Pure: evidence in, violations out.

What is asked:

- ``double``: no occurrence (task, instant, attempt; of scope ``replica`` per process) started twice.
- ``gap``: the wait for a task's next start is explained, see ``gaps``.
- ``missing``: with ``catch_up="all"`` each occurrence between the first and the last was started.
- ``history``: every start is in history, by a row of its own or counted in one, and nothing else is.
- ``term``: a start belongs to a term, a term to one process, and terms only rise.
- ``handover``: a leader that is told to stop hands over at once.
- ``start-up``, ``exit``: a process comes to work, and ends only when it was told to.

Which lines of the ledger may be missing or late, and are forgiven:

1. None may be missing because of the database: the file is local, and written before anything
   else. What is killed before its first line has not started; history may know its claim all the
   same, as ``running`` or ``abandoned``. So may a claim whose answer never came back to a process
   that was cut off: the occurrence is lost, which "at most once" allows and which history shows.
   The same goes for a run that was ``cancelled`` by the drain before it had a thread.
2. A line may be late. A process may be stopped between the last look at its lease and the line,
   which is then written when it is resumed, seconds later and under a term that is over. It cannot
   be prevented, is no second start of anything, and is therefore forgiven within ``late`` of the
   resumption; so is the wait for a thread.
3. History may lack the runs of a process that died with them in memory: successes that are summed
   up by the minute, of its last minute before it could write no more; failures, of the last two
   seconds. Between two outages a process may not get round to writing: then the outage before counts,
   see ``lives.RETRY``. A claimed run has had its row since before it started: that one is never missing.
   A process that was told to stop while it could not reach the database is such a process as well.
4. On SQLite a process can be stopped in the middle of a transaction, with the write lock of the file.
   Then nobody can write, so nobody else can lead, until it goes on; nothing can be done about that.
   It counts as a time when the database was down, if the kernel said that this process has the lock.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from tests.chaos.gaps import Gap, gaps, is_too_long, takeovers
from tests.chaos.history import check_history
from tests.chaos.lives import lives
from tests.chaos.records import Evidence, Limits, Start, Violation, What

MICROSECONDS = 1_000_000


def check(evidence: Evidence, limits: Limits) -> list[Violation]:
    """Return all that is wrong."""
    rules: tuple[Callable[[Evidence, Limits], Iterable[Violation]], ...] = (
        check_doubles,
        check_gaps,
        check_missing,
        check_history,
        check_terms,
        check_handovers,
        check_lives,
    )
    return [violation for rule in rules for violation in rule(evidence, limits)]


def check_doubles(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """No occurrence started twice."""
    cluster = {job.name for job in evidence.jobs if job.is_cluster}
    same: dict[tuple[object, ...], list[Start]] = defaultdict(list)
    for start in evidence.starts:
        whose = None if start.task in cluster else start.pid
        same[start.task, start.due, start.attempt, whose].append(start)
    for starts in same.values():
        if len(starts) > 1:
            around = _around(evidence, starts[0].at, starts[-1].at)
            yield Violation(
                rule="double", text=f"{starts[0].task} started {len(starts)} times", lines=(*map(str, starts), *around)
            )


def check_gaps(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """No task waited longer than the lease and one period."""
    for gap in gaps(evidence):
        if is_too_long(gap, limits):
            text = f"{gap.job.name} (every {gap.job.period:g} s) did not start for {gap.whole:.1f} s"
            where = (
                f"the longest time without a fault was {gap.end - gap.begin:.1f} s, after {gap.begin:.3f} ({gap.cause})"
            )
            lines = (
                f"others did for {gap.passed_over:.1f} s of that; {where}",
                *_neighbours(evidence, gap),
                *_around(evidence, gap.before, gap.after),
            )
            yield Violation(rule="gap", text=text, lines=lines)


def check_missing(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """With ``catch_up="all"`` none is left out, but those that history says were begun and lost."""
    for job in evidence.jobs:
        if not job.is_complete:
            continue
        started = {start.due for start in evidence.starts if start.task == job.name}
        begun = {row.due for row in evidence.rows if row.task == job.name}
        if not started:
            continue
        expected = range(min(started), max(started), round(job.period * MICROSECONDS))
        if left_out := [due for due in expected if due not in started and due not in begun]:
            lines = tuple(f"due {due / MICROSECONDS:.3f}" for due in left_out[:10])
            yield Violation(rule="missing", text=f"{job.name} left out {len(left_out)} occurrences", lines=lines)


def check_terms(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """Each start of scope ``cluster`` has a term, each term one process, and terms only rise."""
    led = [start for start in evidence.starts if _is_cluster(evidence, start)]
    without = [start for start in led if start.term is None]
    if without:
        yield Violation(rule="term", text=f"{len(without)} starts have none", lines=(str(without[0]),))
    owners: dict[int, dict[int, Start]] = defaultdict(dict)
    for start in led:
        if start.term is not None:
            owners[start.term].setdefault(start.pid, start)
    for term, firsts in owners.items():
        if len(firsts) > 1:
            text = f"term {term} belongs to {len(firsts)} processes"
            yield Violation(rule="term", text=text, lines=tuple(map(str, firsts.values())))
    for start, behind in late_starts(evidence):
        if behind > limits.late and not _was_just_resumed(evidence, start, limits.late):
            lines = (str(start), *_around(evidence, start.at - behind, start.at))
            yield Violation(rule="term", text=f"a start {behind:.2f} s after its term was over", lines=lines)


def late_starts(evidence: Evidence) -> Iterator[tuple[Start, float]]:
    """Yield the starts in a term that was over, and for how many seconds it had been."""
    highest, since = 0, 0.0
    for start in evidence.starts:
        if start.term is None or not _is_cluster(evidence, start):
            continue
        if start.term > highest:
            highest, since = start.term, start.at
        elif start.term < highest:
            yield start, start.at - since


def check_handovers(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """Who is told to stop hands over at once, if there is anyone to hand over to."""
    for takeover in takeovers(evidence, What.TOLD):
        if takeover.is_fair and not (takeover.seconds or 0.0) <= limits.handover + limits.tolerance:
            end = takeover.fault.at + (takeover.seconds or 0.0)
            text = f"it took {takeover.seconds or 0.0:.1f} s"
            yield Violation(rule="handover", text=text, lines=_around(evidence, takeover.fault.at, end))


def check_lives(evidence: Evidence, limits: Limits) -> Iterator[Violation]:
    """What is started comes to work, and lives until it is told otherwise."""
    for life in lives(evidence):
        end = min(life.told, life.ended, evidence.ended)
        away = sum(min(until, end) - begin for begin, until in life.away if begin < end and until > life.started)
        if min(life.ready, end) - life.started - away > limits.start_up:
            text = f"{life.replica}/{life.pid} was not at work {limits.start_up:g} s after its start"
            yield Violation(rule="start-up", text=text, lines=(f"started at {life.started:.3f}",))
        if life.ended < min(life.told, evidence.ended) and not life.was_killed:
            yield Violation(
                rule="exit",
                text=f"{life.replica}/{life.pid} ended by itself",
                lines=_around(evidence, life.ended - 5, life.ended),
            )


def count_by_rule(violations: Iterable[Violation]) -> Counter[str]:
    """Return how many there are of each."""
    return Counter(violation.rule for violation in violations)


def _is_cluster(evidence: Evidence, start: Start) -> bool:
    return any(job.name == start.task and job.is_cluster for job in evidence.jobs)


def _was_just_resumed(evidence: Evidence, start: Start, late: float) -> bool:
    resumed = [deed.at for deed in evidence.deeds if deed.what is What.RESUMED and deed.pid == start.pid]
    return any(0 <= start.at - at <= late for at in resumed)


def _neighbours(evidence: Evidence, gap: Gap) -> Iterator[str]:
    """Yield the starts on both sides, and the rows of the task that no start has brought to an end."""
    own = [start for start in evidence.starts if start.task == gap.job.name]
    sides = [start for start in own if start.at <= gap.before][-1:] + [start for start in own if start.at >= gap.after][
        :1
    ]
    yield from map(str, sides)
    for row in evidence.rows:
        if row.task == gap.job.name and row.status in ("running", "abandoned"):
            yield str(row)


def _around(evidence: Evidence, begin: float, end: float, margin: float = 1.0) -> tuple[str, ...]:
    """Return what happened from *margin* before to *margin* after, as lines."""
    events = [*evidence.deeds, *evidence.leads]
    inside = [event for event in events if begin - margin <= event.at <= end + margin]
    return tuple(str(event) for event in sorted(inside, key=lambda event: event.at))
