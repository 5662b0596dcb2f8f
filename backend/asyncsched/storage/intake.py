"""What happens, taken in on the event loop and handed to the database thread.

An ordinary run leaves no object behind: it changes some numbers of its task in place. So much of
it costs least, and what waits for the end of the minute does not grow with the number of runs.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from asyncsched.engine.runs import RunResult, Settled, Trigger
from asyncsched.registry import Task
from asyncsched.storage.records import OWN_ROW, SHARED_ROW, Sum, place
from asyncsched.storage.standing import Standing

MINUTE = timedelta(minutes=1)
MOST_WITH_LOG = 1_000  # rows: so many wait only if the database is away, and ten thousand logs would be 200 MB

SharedRow = tuple[str, Trigger, int, int | None]  # task, trigger, attempt, term
Run = tuple[Task, RunResult]


class Intake:
    """Any thread may add. The lock is held for some microseconds: to change one number, or to take all at once."""

    def __init__(self, *, slow_run: float) -> None:
        self._slow_run = slow_run
        self._lock = Lock()
        self._known: set[str] = set()  # of these people can see that they run
        self._urgent: dict[str, Standing] = {}
        self._later: dict[str, Standing] = {}
        self._sums: dict[datetime, dict[SharedRow, Sum]] = {}  # by the minute they are of
        self._outcomes: list[Run] = []
        self._since = self._until = datetime.min.replace(tzinfo=UTC)  # of the minute of the latest run
        self.rows: deque[Run] = deque()
        """Runs that have a row of their own each: the loop appends, the thread takes."""

    def __len__(self) -> int:
        """How many rows will come of it."""
        with self._lock:
            return len(self.rows) + len(self._outcomes) + sum(map(len, self._sums.values()))

    @property
    def standings(self) -> list[Standing]:
        """How the tasks stand of which there is something new."""
        with self._lock:
            return [*self._urgent.values(), *self._later.values()]

    def add(self, task: Task, event: RunResult | Settled) -> bool:
        """Take *event* in; return True if it should be written soon."""
        if isinstance(event, Settled):
            with self._lock:
                standing, is_urgent = self._standing(task, is_urgent=False)
                standing.cursor = event.until
            return is_urgent
        where = place(task, event, slow_run=self._slow_run)
        is_urgent = where is OWN_ROW
        with self._lock:
            known = self._later.get(task.name)
            if known is not None and not is_urgent:
                known.add(event)
            else:
                standing, is_urgent = self._standing(task, is_urgent=is_urgent)
                standing.add(event)
            if where is SHARED_ROW:
                self._add_up(task, event)
            elif event.claim.has_row:
                self._outcomes.append((task, event))
            elif where is OWN_ROW:
                is_lean = not event.log or len(self.rows) < MOST_WITH_LOG
                self.rows.append((task, event if is_lean else replace(event, log=None)))
        return is_urgent

    def take_outcomes(self) -> list[Run]:
        """Hand over how claimed runs have ended: each has a row already."""
        with self._lock:
            taken, self._outcomes = self._outcomes, []
        return taken

    def take_standings(self, *, urgent_only: bool = False) -> Iterator[Standing]:
        """Hand over how tasks stand, all or those that people want to see soon."""
        with self._lock:
            taken, self._urgent = [self._urgent], {}
            if not urgent_only:
                taken, self._later = [*taken, self._later], {}
        return (standing for standings in taken for standing in standings.values())

    def take_sums(self, but: datetime | None) -> Iterator[Sum]:
        """Hand over what shares a row, but for the minute that begins at *but*."""
        with self._lock:
            over = [self._sums.pop(minute) for minute in list(self._sums) if minute != but]
        return (shared for minute in over for shared in minute.values())

    def _standing(self, task: Task, *, is_urgent: bool) -> tuple[Standing, bool]:
        """Return what is new of *task*, and whether it should be seen soon, as is the first of each task."""
        name = task.name
        is_urgent = is_urgent or name not in self._known
        self._known.add(name)
        standing = self._later.pop(name, None) or self._urgent.get(name) or Standing(task)
        home = self._urgent if is_urgent or name in self._urgent else self._later
        home[name] = standing
        return standing, is_urgent

    def _add_up(self, task: Task, result: RunResult) -> None:
        occurrence = result.claim.occurrence
        if not self._since <= occurrence.scheduled_for < self._until:
            self._since = minute(occurrence.scheduled_for)
            self._until = self._since + MINUTE
        rows = self._sums.setdefault(self._since, {})
        key = task.name, occurrence.trigger, occurrence.attempt, result.claim.term
        shared = rows.get(key)
        if shared is None:
            rows[key] = Sum(task, result, keeps_log=sum(map(len, self._sums.values())) < MOST_WITH_LOG)
        else:
            shared.add(result)


def minute(moment: datetime) -> datetime:
    """Return the beginning of the minute of *moment*."""
    return moment.replace(second=0, microsecond=0)
