"""What is still to be written: rows of runs, how tasks stand, and what did not run.

Successes that share a row wait until their minute is over, so that a row is written once and not
again as it grows; one that comes later still, because it took long, begins another row. So of what
is handed over nothing changes any more, and writing it twice does no harm.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TypeVar

from asyncsched.engine.runs import RunResult, Settled, Skipped
from asyncsched.registry import Task
from asyncsched.storage.folding import fold
from asyncsched.storage.intake import MOST_WITH_LOG, Intake
from asyncsched.storage.records import Record, Sum
from asyncsched.storage.skips import Tallies, Tally
from asyncsched.storage.standing import Standing
from asyncsched.storage.steps import STEPS

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is written in one transaction, or not at all."""

    records: tuple[Record, ...] = ()
    standings: tuple[Standing, ...] = ()
    tallies: tuple[Tally, ...] = ()

    def __len__(self) -> int:
        return len(self.records) + len(self.standings) + len(self.tallies)

    def singles(self) -> Iterator["Batch"]:
        """Yield each part as a batch of its own."""
        yield from (Batch(records=(record,)) for record in self.records)
        yield from (Batch(standings=(standing,)) for standing in self.standings)
        yield from (Batch(tallies=(tally,)) for tally in self.tallies)

    @property
    def words(self) -> str:
        """The tasks it is about."""
        names = {record.task for record in self.records} | {standing.name for standing in self.standings}
        return ", ".join(sorted(names | {tally.task for tally in self.tallies}))


class Backlog:
    """Takes in what happens and hands it over in batches. Its length is that of the rows it will make.

    Any thread may ``add`` and ``skip``; the rest belongs to the database thread. What is to be handed
    over is collected first: what comes in meanwhile waits for the next time, or there would be no end.
    """

    def __init__(self, *, replica: str, slow_run: float) -> None:
        self._slow_run = slow_run
        self._intake = Intake(slow_run=slow_run)
        self._skipped: deque[tuple[Task | None, Skipped]] = deque()
        self._outcomes: defaultdict[str, list[Record]] = defaultdict(list)  # by task
        self._records: deque[Record] = deque()
        self._sums: deque[Sum] = deque()
        self._standings: deque[Standing] = deque()
        self._tallies = Tallies(replica=replica)
        self._tallies_due = 0  # so many of them, the oldest, were collected

    def __len__(self) -> int:
        outcomes = sum(map(len, self._outcomes.values()))
        return outcomes + len(self._records) + len(self._sums) + len(self._intake) + len(self._tallies)

    def __bool__(self) -> bool:
        return bool(len(self) or self._standings or self._skipped or self._intake.standings)

    @property
    def runs(self) -> int:
        """How many runs have not become part of their task's totals yet."""
        return sum(standing.runs for standing in [*self._standings, *self._intake.standings])

    @property
    def skips(self) -> int:
        """How many occurrences that did not run are in it."""
        return self._tallies.count

    @property
    def is_under_way(self) -> bool:
        """True while not all of what was collected has been handed over."""
        return bool(self._sums or self._standings or self._tallies_due)

    @property
    def has_more(self) -> bool:
        """True if ``take`` would hand something over."""
        return self.is_under_way or bool(self._intake.rows or self._records or self._outcomes)

    def add(self, task: Task, event: RunResult | Settled) -> bool:
        """Take *event* in, from any thread; return True if it should be written soon."""
        return self._intake.add(task, event)

    def skip(self, task: Task | None, skipped: Skipped) -> None:
        """Take *skipped* in, from any thread. *task* is None if no task of that name is registered here."""
        self._skipped.append((task, skipped))

    def take_in(self) -> list[str]:
        """Sort what has come in; return the ids of the claimed runs that have ended."""
        while self._skipped:
            self._tallies.add(*self._skipped.popleft())
        ended = self._intake.take_outcomes()
        for task, result in ended:
            self._outcomes[task.name].append(self._record(task, result))
        return [result.claim.run_id for _, result in ended]

    def collect(self, but: datetime | None = None) -> None:
        """All that is there now is to be handed over, but for rows that the runs of the minute *but* share."""
        self._tallies_due = len(self._tallies)
        self._sums.extend(self._intake.take_sums(but))
        if not self._standings:  # else the database is slow, or away: those still to come grow where they are
            self._standings.extend(self._intake.take_standings())

    def collect_urgent(self) -> None:
        """What people want to see soon is to be handed over."""
        self._tallies_due = len(self._tallies)
        if not self._standings:
            self._standings.extend(self._intake.take_standings(urgent_only=True))

    def take(self, most: int) -> Batch:
        """Hand over up to *most* parts of what was collected; rows of their own first, which need no collecting."""
        records = [*islice(self._own_rows(), most)]
        tallies = self._tallies.take(min(most - len(records), self._tallies_due))
        self._tallies_due -= len(tallies)
        records += [shared.record() for shared in _first(self._sums, most - len(records) - len(tallies))]
        standings = _first(self._standings, most - len(records) - len(tallies))
        return Batch(records=tuple(records), standings=tuple(standings), tallies=tuple(tallies))

    def take_outcomes(self, task: str) -> Batch:
        """Hand over how claimed runs of *task* ended."""
        return Batch(records=tuple(self._outcomes.pop(task, ())))

    def fold(self, most: int, *, but: datetime) -> list[str]:
        """Sum up until there are at most *most* rows, or no fewer can be; return in words what was summed up.

        What a claim has put into the table already stays as it is: it waits for its own outcome, and
        there are few such rows, because claiming needs the database.
        """
        words = []
        for step in STEPS:
            before = len(self)
            if before <= most:
                break
            self._close(but)
            if of_runs := step.of_runs:
                self._records = deque(fold(self._records, of_runs, before - most))
            if of_skips := step.of_skips:
                self._tallies.fold(of_skips, before - most)
                self._tallies_due = min(self._tallies_due, len(self._tallies))
            if len(self) < before:
                words.append(step.words)
        return words

    def _own_rows(self) -> Iterator[Record]:
        while self._outcomes:
            task, outcomes = self._outcomes.popitem()
            outcome = outcomes.pop()
            if outcomes:
                self._outcomes[task] = outcomes
            yield outcome
        while self._records:
            yield self._records.popleft()
        while self._intake.rows:
            yield self._record(*self._intake.rows.popleft())

    def _close(self, but: datetime) -> None:
        """No run will share a row any more that is not of the minute *but*."""
        self._sums.extend(self._intake.take_sums(but))
        while self._sums:
            self._keep(self._sums.popleft().record())
        while self._intake.rows:
            self._keep(self._record(*self._intake.rows.popleft()))

    def _keep(self, record: Record) -> None:
        self._records.append(record if len(self._records) < MOST_WITH_LOG else replace(record, log=None))

    def _record(self, task: Task, result: RunResult) -> Record:
        return Record.of(task, result, slow_run=self._slow_run)


def _first(items: deque[Item], most: int) -> list[Item]:
    return [items.popleft() for _ in range(min(most, len(items)))]
