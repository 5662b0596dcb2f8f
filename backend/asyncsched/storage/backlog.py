"""What is still to be written: rows of runs, how tasks stand, and what did not run. It belongs to one thread.

Successes that share a row wait until their minute is over, so that a row is written once and not
again as it grows; one that comes later still, because it took long, begins another row. So of what
is handed over nothing changes any more, and writing it twice does no harm.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from asyncsched.engine.runs import RunResult, Settled, Skipped, Trigger
from asyncsched.registry import Task
from asyncsched.storage.folding import fold
from asyncsched.storage.records import Place, Record, place
from asyncsched.storage.skips import Tallies, Tally
from asyncsched.storage.standing import Standing
from asyncsched.storage.steps import STEPS

MOST_WITH_LOG = 1_000  # rows: so many wait only if the database is away, and ten thousand logs would be 200 MB

SharedRow = tuple[str, datetime, Trigger, int, int | None]  # task, minute, trigger, attempt, term
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
    """Takes in what happens and hands it over in batches. Its length is that of the rows it will make."""

    def __init__(self, *, replica: str, slow_run: float) -> None:
        self._slow_run = slow_run
        self._records: list[Record] = []
        self._shared: dict[SharedRow, Record] = {}
        self._standings: dict[str, Standing] = {}
        self._tallies = Tallies(replica=replica)

    def __len__(self) -> int:
        return len(self._records) + len(self._shared) + len(self._tallies)

    def __bool__(self) -> bool:
        return bool(self._standings or len(self))

    @property
    def runs(self) -> int:
        """How many runs have not become part of their task's totals yet."""
        return sum(standing.runs for standing in self._standings.values())

    @property
    def skips(self) -> int:
        """How many occurrences that did not run are in it."""
        return self._tallies.count

    def add(self, task: Task, event: RunResult | Settled) -> None:
        """Take *event* in. Of how a task stands only the latest counts, however many events there are."""
        self._standings[task.name] = self._standings.get(task.name, Standing(task=task)).after(event)
        if isinstance(event, Settled):
            return
        where = place(task, event, slow_run=self._slow_run)
        if where is Place.NO_ROW:
            return
        record = Record.of(task, event, slow_run=self._slow_run)
        if len(self) >= MOST_WITH_LOG:
            record = replace(record, log=None)
        if where is Place.OWN_ROW:
            self._records.append(record)
            return
        key = record.task, minute(record.scheduled_for), record.trigger, record.attempt, record.term
        known = self._shared.get(key)
        self._shared[key] = known.plus(record) if known else record

    def skip(self, task: Task | None, skipped: Skipped) -> None:
        """Take *skipped* in. *task* is None if no task of that name is registered here."""
        self._tallies.add(task, skipped)

    def take(self, most: int, *, but: datetime | None = None) -> Batch:
        """Hand over up to *most* parts, rows of runs first; rows that the runs of the minute *but* share stay."""
        self._close(but)
        records = _first(self._records, most)
        tallies = self._tallies.take(most - len(records))
        names = list(self._standings)[: most - len(records) - len(tallies)]
        standings = tuple(self._standings.pop(name) for name in names)
        return Batch(records=tuple(records), standings=standings, tallies=tuple(tallies))

    def fold(self, most: int, *, but: datetime) -> list[str]:
        """Sum up until there are at most *most* rows, or no fewer can be; return in words what was summed up."""
        words = []
        for step in STEPS:
            before = len(self)
            if before <= most:
                break
            self._close(but)
            if of_runs := step.of_runs:
                self._records = fold(self._records, of_runs, before - most)
            if of_skips := step.of_skips:
                self._tallies.fold(of_skips, before - most)
            if len(self) < before:
                words.append(step.words)
        return words

    def _close(self, but: datetime | None) -> None:
        """No run will share a row any more that is not of the minute *but*."""
        for key in [key for key in self._shared if key[1] != but]:
            self._records.append(self._shared.pop(key))


def minute(moment: datetime) -> datetime:
    """Return the beginning of the minute of *moment*."""
    return moment.replace(second=0, microsecond=0)


def _first(items: list[Item], most: int) -> list[Item]:
    taken = items[:most]
    del items[:most]
    return taken
