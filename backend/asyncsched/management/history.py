"""``async_tasks history``: what ran and what did not, as people and programs want to read it."""

import re
from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from asyncsched.engine.runs import RunStatus, SkipReason, Trigger
from asyncsched.management.tables import moment, seconds, table, terminal_width
from asyncsched.policy import History
from asyncsched.registry import Task
from asyncsched.storage import history
from asyncsched.storage.history import PastRun, PastSkip

USAGE = 2
LIMIT = 20
MOST = 10_000
NOTABLE_LATENESS = 1.0  # seconds

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|min|h|d|w)")
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TRIGGERS = {Trigger.CATCH_UP: "caught up", Trigger.MANUAL: "by hand"}

_KEPT = {
    History.SUMMARY: "Of {} the successes of a minute share a row, unless they were slow or blocked the event loop.",
    History.FAILURES: "Of {} only failures, stalls and runs that were cut off are kept; "
    "'async_tasks list' shows its last run.",
    History.NONE: "Of {} no runs are kept; 'async_tasks list' shows its last run.",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``history`` takes. Values are checked by ``Query``, so that a wrong one is told in one line."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="of this task only, registered still or not any more")
    parser.add_argument("--status", metavar="S", help="only runs that ended so, such as failed")
    parser.add_argument("--since", metavar="T", help="only since then: 90s, 30min, 12h, 1d, 2w ago, or ISO 8601")
    parser.add_argument("--skipped", action="store_true", help="why occurrences did not run, instead of runs")
    parser.add_argument("--limit", default=str(LIMIT), metavar="N", help=f"how many at most; {LIMIT} by default")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON array")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question to history."""

    task: str | None
    status: str | None
    since: datetime | None
    skipped: bool
    limit: int

    @classmethod
    def of(cls, *, name: str | None, since: str | None, limit: str, **options: Any) -> "Query":
        """Return what the command line asks; raise CommandError, with the exit code for it, if that is nothing."""
        if options["status"] and options["skipped"]:
            raise CommandError("--status is about runs, --skipped about what did not run: say one", returncode=USAGE)
        return cls(
            task=name,
            status=_status(options["status"]),
            since=since_when(since, timezone.now()) if since is not None else None,
            skipped=options["skipped"],
            limit=_limit(limit),
        )

    def as_json(self) -> list[dict[str, Any]]:
        """Return the answer for programs."""
        found: list[PastRun] | list[PastSkip] = self._skips(self.limit) if self.skipped else self._runs(self.limit)
        return [one.as_json() for one in found]

    def as_text(self, task: Task | None) -> str:
        """Return the answer for people. *task* is the one asked about, if it is registered."""
        return self._skips_text() if self.skipped else self._runs_text(task)

    def _runs(self, limit: int) -> list[PastRun]:
        return history.runs(task=self.task, status=self.status, since=self.since, limit=limit)

    def _skips(self, limit: int) -> list[PastSkip]:
        return history.skips(task=self.task, since=self.since, limit=limit)

    def _runs_text(self, task: Task | None) -> str:
        found = self._runs(self.limit + 1)
        shown = found[: self.limit]
        lines = [_table(("STARTED", "TASK", "STATUS", "TOOK", "DETAILS"), [_run_row(run) for run in shown])]
        if not shown:
            lines = [f"No runs{self._range}."]
        if len(found) > len(shown):
            lines.append(self._more)
        if task is not None and not task.is_claimed and task.options.history in _KEPT:
            lines.append(_KEPT[task.options.history].format(task.name))
        if self.task is not None:
            lines += self._skips_hint(self.task, shown[-1].started_at if len(found) > len(shown) else self.since)
        return "\n".join(lines)

    def _skips_text(self) -> str:
        found = self._skips(self.limit + 1)
        if not found:
            return f"No skipped occurrences{self._range}."
        rows = [_skip_row(skip) for skip in found[: self.limit]]
        text = _table(("LAST", "FIRST", "TASK", "COUNT", "WHY"), rows)
        return text if len(found) == len(rows) else f"{text}\n{self._more}"

    def _skips_hint(self, task: str, since: datetime | None) -> list[str]:
        """Say how many occurrences did not run in the time that is looked at."""
        count, is_all = history.count_skipped(task, since=since)
        if not count:
            return []
        what = f"{'' if is_all else 'At least '}{count} occurrence{'s' if count > 1 else ''}"
        when = f" --since {since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
        return [f"{what} did not run; why: manage.py async_tasks history {task} --skipped{when}"]

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


def since_when(text: str, now: datetime) -> datetime:
    """Return the moment, in UTC, that *text* means: so long before *now*, or a time in ISO 8601."""
    try:
        if span := _SPAN.fullmatch(text):
            return now - timedelta(seconds=float(span[1]) * _UNITS[span[2]])
        value = datetime.fromisoformat(text)
        return (value if timezone.is_aware(value) else timezone.make_aware(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(
            f"--since {text}: say how long ago, such as 90s, 30min, 12h, 1d or 2w, or a time such as 2026-11-24T03:00",
            returncode=USAGE,
        ) from None


def _status(text: str | None) -> str | None:
    if text is not None and text not in {*RunStatus}:
        raise CommandError(f"--status {text}: say one of {', '.join(RunStatus)}", returncode=USAGE)
    return text


def _limit(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and 1 <= int(text) <= MOST):
        raise CommandError(f"--limit {text}: say a whole number from 1 to {MOST}", returncode=USAGE)
    return int(text)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return table(header, rows, width=terminal_width())


def _run_row(run: PastRun) -> tuple[str, ...]:
    took = seconds(run.duration) if run.duration is not None and run.status != RunStatus.SKIPPED else "-"
    if run.count == 1:
        return moment(run.started_at), run.task, run.status, took, _details(run)
    longest = f"≤ {took}" if took != "-" else took
    return moment(run.started_at), run.task, f"{run.status} ×{run.count}", longest, _details(run)


def _skip_row(skip: PastSkip) -> tuple[str, ...]:
    first = moment(skip.first) if skip.first != skip.last else ""
    return moment(skip.last), first, skip.task, str(skip.count), skip.why


def _details(run: PastRun) -> str:
    details = [run.error or run.result]
    if run.status == RunStatus.SKIPPED:
        details.append(history.in_words(SkipReason.PREDICATE))
    if run.stall_seconds is not None:
        details.append(f"blocked the event loop for {seconds(run.stall_seconds)} at {run.stall_where}")
    if run.trigger in _TRIGGERS:
        details.append(_TRIGGERS[Trigger(run.trigger)])
    if run.attempt > 1:
        details.append(f"attempt {run.attempt}")
    if run.lateness is not None and run.lateness >= NOTABLE_LATENESS:
        details.append(f"{'up to ' if run.count > 1 else ''}{seconds(run.lateness)} late")
    return "; ".join(detail for detail in details if detail)
