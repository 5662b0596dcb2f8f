"""How long nobody did a task's work, and what had happened before: a fault is forgiven the lease, and no more.

A gap lies between two consecutive starts of a task, whoever made them. What is left out of it is
the time in which nobody was able to lead. What begins the wait anew is a fault that hit whoever led
at that moment, and the end of a time when nobody was able. So of a gap only its longest quiet
stretch counts; that must not be longer than the lease, one period, and the tolerance.

One fault after the other must not hide a task that never has its turn. So there is a second
measure: while others were started, this one could have been. That time, less one period for each
leader in it, must not be longer than the lease either. For a task whose runs are claimed only such
time counts in which its leader could ask the database: the others go on without an answer for as
long as the leader may trust that it leads. What was not answered is asked again after ASK_AGAIN.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from tests.chaos.lives import Span, lives, outages, without
from tests.chaos.project.jobs import Job
from tests.chaos.records import FAULTS, Deed, Evidence, Limits, Start, What

NO_FAULT = "no fault"
NOBODY = "nobody was able"
SILENCE = 1.5  # seconds without a start of anything, after which nobody seems to work
REMEMBERED = 10.0  # seconds: a leader that is cut off goes on for as long as it may trust that it leads
ASK_AGAIN = 5.0  # seconds
NEAR = 0.2  # seconds: who leads is asked ten times a second, and whoever takes over may be hit between two questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The longest quiet stretch between two starts of *job*, from *begin* to *end*, after *cause*."""

    job: Job
    begin: float
    end: float
    cause: str
    before: float
    after: float
    """When the two starts were."""
    passed_over: float = 0.0
    """Seconds in which others were started, beyond one period under each leader."""

    @property
    def whole(self) -> float:
        """Seconds between the two starts."""
        return self.after - self.before

    @property
    def excess(self) -> float:
        """Seconds beyond one period."""
        return self.end - self.begin - self.job.period


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """From the *fault* that hit the leader to the first start in a later term; None if nobody began one in time."""

    fault: Deed
    seconds: float | None
    is_fair: bool
    """True if somebody was able all the while, and nothing hit the one who took over."""


def gaps(evidence: Evidence) -> Iterator[Gap]:
    """Yield one for every two consecutive starts, the beginning and the end of the chaos taken as such."""
    nobody = outages(evidence)
    resets = _resets(evidence, nobody)
    busy = {False: _busy(evidence), True: _busy_and_answered(evidence)}
    for job in evidence.jobs:
        if not job.is_cluster:
            continue
        moments = [start.at for start in evidence.starts if start.task == job.name]
        inside = [moment for moment in moments if evidence.began < moment < evidence.ended]
        for before, after in pairwise([evidence.began, *inside, evidence.ended]):
            gap = _longest(job, before, after, resets, nobody)
            yield replace(gap, passed_over=_passed_over(job, before, after, busy[job.is_claimed]))


def leader_at(evidence: Evidence, moment: float) -> set[int]:
    """Return the processes that led at *moment*, or within NEAR of it, by the lease's row and by the ledger."""
    before = [lead for lead in evidence.leads if lead.at < moment - NEAR][-1:]
    latest = before + [lead for lead in evidence.leads if moment - NEAR <= lead.at <= moment + NEAR]
    begun = [start for start in _led(evidence) if start.at <= moment][-1:]
    return {lead.pid for lead in latest if lead.pid} | {start.pid for start in begun}


def hits_leader(evidence: Evidence, deed: Deed) -> bool:
    """True if *deed* may have taken the lead from whoever had it."""
    return deed.what in FAULTS and (deed.pid is None or deed.pid in leader_at(evidence, deed.at))


def takeovers(evidence: Evidence, what: What) -> Iterator[Takeover]:
    """Yield how long it took each time that *what* happened to the leader."""
    nobody = outages(evidence)
    for deed in evidence.deeds:
        if deed.what is not what or not evidence.began <= deed.at < evidence.ended or not _had_led(evidence, deed):
            continue
        term = max((start.term or 0 for start in _led(evidence) if start.at <= deed.at), default=0)
        later = (start.at for start in _led(evidence) if start.at > deed.at and (start.term or 0) > term)
        end = next(later, None)
        until = min(end or evidence.ended, evidence.ended)
        others = [other for other in evidence.deeds if deed.at < other.at < until and hits_leader(evidence, other)]
        is_fair = not others and not any(begin < until and deed.at < finish for begin, finish in nobody)
        yield Takeover(fault=deed, seconds=end - deed.at if end else None, is_fair=is_fair)


def count_ready(evidence: Evidence) -> int:
    """Return how many processes came to work at all."""
    return sum(life.ready < evidence.ended for life in lives(evidence))


def _had_led(evidence: Evidence, deed: Deed) -> bool:
    begun = [start for start in _led(evidence) if start.at <= deed.at][-1:]
    return any(start.pid == deed.pid for start in begun)


def _led(evidence: Evidence) -> list[Start]:
    cluster = {job.name for job in evidence.jobs if job.is_cluster}
    return [start for start in evidence.starts if start.task in cluster]


def _resets(evidence: Evidence, nobody: tuple[Span, ...]) -> list[tuple[float, str]]:
    faults = [(deed.at, str(deed.what)) for deed in evidence.deeds if hits_leader(evidence, deed)]
    return sorted([*faults, *((end, NOBODY) for _, end in nobody)])


def _longest(job: Job, before: float, after: float, resets: list[tuple[float, str]], nobody: tuple[Span, ...]) -> Gap:
    inside = [(at, cause) for at, cause in resets if before < at < after]
    cause = next((cause for at, cause in reversed(resets) if before - REMEMBERED < at <= before), NO_FAULT)
    points = [(before, cause), *inside]
    ends = [*(at for at, _ in inside), after]
    stretches = []
    for (begin, cause), end in zip(points, ends, strict=True):
        last = min((start for start, finish in nobody if begin < start < end), default=end)  # then nobody was able
        covered = any(start <= begin < finish for start, finish in nobody)
        stretches.append(
            Gap(job=job, begin=begin, end=begin if covered else last, cause=cause, before=before, after=after)
        )
    return max(stretches, key=lambda gap: gap.end - gap.begin)


def _busy(evidence: Evidence) -> list[Span]:
    """Return from when to when one leader started something, again and again."""
    found: list[tuple[float, float, int | None]] = []
    for start in _led(evidence):
        if found and found[-1][2] == start.term and start.at - found[-1][1] <= SILENCE:
            found[-1] = (found[-1][0], start.at, start.term)
        else:
            found.append((start.at, start.at, start.term))
    return [(begin, end) for begin, end, _ in found]


def _busy_and_answered(evidence: Evidence) -> list[Span]:
    """Return the same, less the times in which the database did not decide about claims of that leader."""
    leaders = {start.at: start.pid for start in _led(evidence)}
    silences: dict[int, list[Span]] = defaultdict(list)
    for life in lives(evidence):
        silences[life.pid] += [(begin, end + ASK_AGAIN) for begin, end in life.away]
    for deed in evidence.deeds:
        if deed.pid and deed.what in (What.SEVERED, What.SESSIONS):
            silences[deed.pid].append((deed.at, deed.at + ASK_AGAIN))
    return [part for span in _busy(evidence) for part in without(span, silences[leaders[span[0]]])]


def _passed_over(job: Job, before: float, after: float, busy: list[Span]) -> float:
    inside = (min(end, after) - max(begin, before) for begin, end in busy if begin < after and end > before)
    return sum(max(0.0, length - job.period) for length in inside)


def is_too_long(gap: Gap, limits: Limits) -> bool:
    """True if a fault does not explain *gap*."""
    return max(gap.excess, gap.passed_over) > limits.lease + limits.tolerance
