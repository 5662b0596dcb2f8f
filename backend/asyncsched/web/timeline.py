"""The timeline: what ran and what will, over all tasks, an hour to either side of now."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString

from asyncsched import conf
from asyncsched.engine.runs import RunStatus
from asyncsched.errors import ScheduleError
from asyncsched.registry import Task
from asyncsched.schedules import Schedule
from asyncsched.schedules.words import counted
from asyncsched.server import compose
from asyncsched.storage.history import PastSkip
from asyncsched.storage.presence_views import names_of
from asyncsched.storage.timeline import Past, Ran, Stalled, past
from asyncsched.web import marks
from asyncsched.web.access import page
from asyncsched.web.marks import Who, Window
from asyncsched.web.words import status_word

SPAN = timedelta(hours=1)
GRID = 900  # seconds; whole quarters of an hour are the same in every zone
MINUTE = timedelta(minutes=1)
MOST_ROWS = 200
MOST_TICKS = 120
COLOURS = 6

Found = TypeVar("Found", Ran, PastSkip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task: its name, its marks, and the same in words."""

    task: str
    state: str
    """``paused`` or ``disabled``, else empty."""
    is_often: bool
    """Its successes share a row a minute, so that a single one is no news."""
    words: str
    drawing: SafeString


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that the template needs."""

    window: Window
    present: str
    """Where now is, in per cent of the width."""
    quarters: tuple[tuple[str, str], ...]
    """Where each quarter of an hour is, and the time on the clock."""
    rows: tuple[Row, ...]
    columns: SafeString
    """The stalls, over all rows."""
    stalls: tuple[str, ...]
    """The same in words."""
    statuses: tuple[tuple[str, SafeString], ...]
    """How runs ended that are shown: in words, and a mark."""
    has_skips: bool
    processes: tuple[Who, ...]
    """Those that ran something or stood still, if there are several."""
    unlisted: int
    """How many tasks there are beside those of the rows."""
    is_complete: bool
    runs_since: datetime


@page
def timeline(request: HttpRequest) -> HttpResponse:
    """The timeline alone, for the page's script to put in place of what it shows."""
    return render(request, "asyncsched/timeline.html", timeline_context())


def timeline_context(now: datetime | None = None) -> dict[str, Any]:
    """Return what ``asyncsched/timeline.html`` needs. It tells of errors: for who `may_view` only."""
    now = now or timezone.now()
    return {"timeline": chart(compose.tasks(conf.load()), past(now - SPAN), now)}


def chart(tasks: Sequence[Task], happened: Past, now: datetime) -> Chart:
    """Draw what *happened*, and when *tasks* will run; what is not registered comes last."""
    window = Window(start=now - SPAN, now=now, end=now + SPAN)
    processes = _processes([*happened.runs, *happened.stalls])
    registered = {task.name: task for task in tasks}
    runs, skips = _by_task(happened.runs), _by_task(happened.skips)
    names = list(dict.fromkeys([*registered, *sorted(runs.keys() | skips.keys())]))
    rows = [
        _Subject(
            name=name,
            task=registered.get(name),
            is_paused=name in happened.paused,
            runs=runs[name],
            skips=skips[name],
            window=window,
            processes=processes,
        ).row()
        for name in names[:MOST_ROWS]
    ]
    stalls = [(one, processes[one.replica].name) for one in reversed(happened.stalls)]
    return Chart(
        window=window,
        present=f"{window.place(now):.2f}%",
        quarters=_quarters(window),
        rows=tuple(rows),
        columns=marks.joined(marks.stall(one, window, name) for one, name in stalls),
        stalls=tuple(marks.of_stall(one, name) for one, name in stalls),
        statuses=_statuses(happened.runs),
        has_skips=bool(happened.skips),
        processes=tuple(processes.values()) if len(processes) > 1 else (),
        unlisted=max(0, len(names) - MOST_ROWS),
        is_complete=happened.is_complete,
        runs_since=happened.runs_since,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A task, and all that is known of it; runs and skips are newest first."""

    name: str
    task: Task | None
    is_paused: bool
    runs: Sequence[Ran]
    skips: Sequence[PastSkip]
    window: Window
    processes: Mapping[str, Who]

    def row(self) -> Row:
        is_often = self.task is not None and self.task.schedule.is_subminute
        is_disabled = self.task is not None and not self.task.options.enabled
        coming, to_come = SafeString(), ""
        if self.task is not None and not is_disabled and not self.is_paused:
            coming, to_come = self._coming(self.task.schedule)
        return Row(
            task=self.name,
            state="paused" if self.is_paused else "disabled" if is_disabled else "",
            is_often=is_often,
            words=f"In the last hour: {self._past_words()}." + (f" In the next: {to_come}." if to_come else ""),
            drawing=marks.joined([coming, *self._past()]),
        )

    def _past(self) -> Iterator[SafeString]:
        for run in reversed(self.runs):
            yield marks.bar(run, self.window, self.processes[run.replica], is_stop=run is self.runs[0])
        yield from (marks.skip(skipped, self.window) for skipped in reversed(self.skips))

    def _past_words(self) -> str:
        counts: Counter[str] = Counter()
        for run in self.runs:
            counts[run.status] += run.count
        counts[RunStatus.SKIPPED] += sum(skipped.count for skipped in self.skips)
        told = [f"{count:,} {status_word(status)}" for status, count in counts.items() if count]
        return ", ".join(told) or "no runs"

    def _coming(self, schedule: Schedule) -> tuple[SafeString, str]:
        """Return the coming occurrences, drawn and in words."""
        now, end = self.window.now, self.window.end
        if schedule.is_subminute:
            stretches = list(_stretches(schedule, now, end))
            return marks.bands(stretches, self.window), schedule.describe() if stretches else "no runs"
        occurrences = list(_within(schedule, now, end))
        return marks.ticks(occurrences, self.window), counted(len(occurrences), "run") if occurrences else "no runs"


def _within(schedule: Schedule, now: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the occurrences after *now* until *end*, jitter aside."""
    with suppress(ScheduleError):  # none is left before the year 9999 ends
        yield from schedule.between(now, end, limit=MOST_TICKS)


def _stretches(schedule: Schedule, now: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times, from one to another, in which every minute has an occurrence, by asking once a minute."""
    start = next(_within(schedule, now, end), None)
    while start is not None and start < end:
        stop = start
        while stop < end and next(_within(schedule, stop, stop + MINUTE), None):
            stop += MINUTE
        yield start, min(stop, end)
        start = next(_within(schedule, stop, end), None)


def _by_task(found: Iterable[Found]) -> defaultdict[str, list[Found]]:
    by_task: defaultdict[str, list[Found]] = defaultdict(list)
    for one in found:
        by_task[one.task].append(one)
    return by_task


def _processes(found: Iterable[Ran | Stalled]) -> dict[str, Who]:
    """Return what to call each process, by identity, in the order of their names. Of several each has a colour."""
    called = names_of(sorted({one.replica for one in found}))
    several = len(called) > 1
    return {
        identity: Who(name=name, colour=number % COLOURS if several else None)
        for number, (identity, name) in enumerate(called.items())
    }


def _quarters(window: Window) -> tuple[tuple[str, str], ...]:
    first = math.ceil(window.start.timestamp() / GRID) * GRID
    moments = [datetime.fromtimestamp(at, UTC) for at in range(first, math.ceil(window.end.timestamp()), GRID)]
    return tuple((f"{window.place(moment):.2f}%", marks.clock(moment)[:5]) for moment in moments)


def _statuses(runs: Iterable[Ran]) -> tuple[tuple[str, SafeString], ...]:
    seen = dict.fromkeys(run.status for run in runs if run.status != RunStatus.SKIPPED)
    return tuple((status_word(status), marks.shape(status, "1", "16")) for status in sorted(seen))
