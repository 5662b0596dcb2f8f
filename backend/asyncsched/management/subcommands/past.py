"""``async_tasks history``: what ran and what did not, as people and programs want to read it."""

from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from asyncsched import conf
from asyncsched.engine.runs import RunStatus
from asyncsched.management import history_tables
from asyncsched.management import parser as read
from asyncsched.management.names import require_known
from asyncsched.management.screen import Screen
from asyncsched.management.tables import moment
from asyncsched.policy import History
from asyncsched.registry import Task
from asyncsched.server import compose
from asyncsched.storage import history
from asyncsched.storage.history import PastRun, PastSkip

LIMIT = 20
MOST = 10_000

_KEPT = {
    History.SUMMARY: "Of {} the successes of a minute share a row, unless they were slow or blocked the event loop.",
    History.FAILURES: "Of {} only failures, stalls and runs that were cut off are kept; "
    "'async_tasks list' shows its last run.",
    History.NONE: "Of {} no runs are kept; 'async_tasks list' shows its last run.",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``history`` takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="of this task only, registered still or not any more")
    statuses = [status.value for status in RunStatus]
    parser.add_argument("--status", choices=statuses, metavar="S", help="only runs that ended so, such as failed")
    since = partial(read.since, now=timezone.now())
    parser.add_argument(
        "--since", type=since, metavar="T", help="only since then: 90s, 30min, 12h, 1d, 2w ago, or ISO 8601"
    )
    parser.add_argument("--skipped", action="store_true", help="why occurrences did not run, instead of runs")
    limit = partial(read.whole, most=MOST)
    parser.add_argument("--limit", type=limit, default=LIMIT, metavar="N", help=f"how many at most; {LIMIT} by default")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON array")


def handle(screen: Screen, *, name: str | None, json: bool, **options: Any) -> None:
    """Carry out ``history``."""
    tasks = compose.tasks(conf.load())
    task = next((task for task in tasks if task.name == name), None)
    if name is not None and task is None and not history.is_known(name):
        require_known([name], tasks)
    query = Query.of(task=name, **options)
    if json:
        screen.json(query.as_json())
    elif query.skipped:
        query.show_skips(screen)
    else:
        query.show_runs(screen, task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question to history."""

    task: str | None
    status: str | None
    since: datetime | None
    skipped: bool
    limit: int

    @classmethod
    def of(cls, *, task: str | None, status: str | None, since: datetime | None, **options: Any) -> "Query":
        """Return what the command line asks; raise CommandError, with the exit code for it, if that is nothing."""
        skipped, limit = options["skipped"], options["limit"]
        if status and skipped:
            raise CommandError(
                "--status is about runs, --skipped about what did not run: say one", returncode=read.USAGE
            )
        return cls(task=task, status=status, since=since, skipped=skipped, limit=limit)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the answer for programs."""
        found: list[PastRun] | list[PastSkip] = self._skips(self.limit) if self.skipped else self._runs(self.limit)
        return [one.as_json() for one in found]

    def show_runs(self, screen: Screen, task: Task | None) -> None:
        """Answer for people. *task* is the one asked about, if it is registered."""
        found = self._runs(self.limit + 1)
        shown = found[: self.limit]
        if shown:
            now = timezone.now()
            runs = history_tables.of_runs_now(shown, now) if screen.is_rich else history_tables.of_runs(shown)
            screen.table(runs, is_cut=True)
        else:
            screen.say(f"No runs{self._range}.")
        if len(found) > len(shown):
            screen.say(self._more)
        if task is not None and not task.is_claimed and task.options.history in _KEPT:
            screen.say(_KEPT[task.options.history].format(task.name))
        if self.task is not None:
            self._hint_at_skips(screen, self.task, shown[-1].started_at if len(found) > len(shown) else self.since)

    def show_skips(self, screen: Screen) -> None:
        """Answer for people why occurrences did not run."""
        found = self._skips(self.limit + 1)
        if not found:
            screen.say(f"No skipped occurrences{self._range}.")
            return
        screen.table(history_tables.of_skips(found[: self.limit]), is_cut=True)
        if len(found) > self.limit:
            screen.say(self._more)

    def _runs(self, limit: int) -> list[PastRun]:
        return history.runs(task=self.task, status=self.status, since=self.since, limit=limit)

    def _skips(self, limit: int) -> list[PastSkip]:
        return history.skips(task=self.task, since=self.since, limit=limit)

    def _hint_at_skips(self, screen: Screen, task: str, since: datetime | None) -> None:
        """Say how many occurrences did not run in the time that is looked at."""
        count, is_all = history.count_skipped(task, since=since)
        if not count:
            return
        what = f"{'' if is_all else 'At least '}{count} occurrence{'s' if count > 1 else ''}"
        when = f" --since {since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
        screen.say(f"{what} did not run; why: manage.py async_tasks history {task} --skipped{when}")

    @property
    def _range(self) -> str:
        of = f" of {self.task}" if self.task else ""
        with_status = f" with status {self.status}" if self.status else ""
        return f"{of}{with_status} since {moment(self.since)}" if self.since else f"{of}{with_status} are recorded"

    @property
    def _more(self) -> str:
        how = (
            f"--limit {min(10 * self.limit, MOST)} shows more"
            if self.limit < MOST
            else "NAME and --status find older ones"
        )
        return f"The latest {self.limit} are shown; {how}."
