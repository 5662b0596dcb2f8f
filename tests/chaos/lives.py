"""Who was able to work when, from the log alone: the lives of the processes, and the times when nobody was able."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.chaos.records import Deed, Evidence, Start, What

Span = tuple[float, float]
NEVER = float("inf")
RETRY = 6.0  # seconds: what could not be written is tried again after 5 s at the latest, and trying takes a moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process, from its start to its end. *ready* is when its first task ran, NEVER if none did."""

    replica: str
    pid: int
    started: float
    ready: float
    told: float
    ended: float
    was_killed: bool
    away: tuple[Span, ...]
    """When it was stopped, or cut off from the database, or the database was down."""

    @property
    def died(self) -> bool:
        """True if it could not tell history how its last runs ended."""
        return self.was_killed or self.is_away_at(self.ended)

    @property
    def last_told(self) -> float:
        """The last moment at which it had certainly found out that it can write; NEVER while it lives.

        Between two outages it may not have tried: only RETRY after the first has it certainly.
        """
        told = self.ended
        for begin, end in sorted(self.away, key=lambda span: span[1], reverse=True):
            if begin <= told <= end + RETRY:
                told = begin
        return told

    def is_away_at(self, moment: float) -> bool:
        """True if it could do nothing, or say nothing, at *moment*."""
        return any(begin <= moment <= end for begin, end in self.away)

    def is_able_at(self, moment: float) -> bool:
        """True if nothing kept it from leading at *moment*."""
        return self.ready <= moment < min(self.told, self.ended) and not self.is_away_at(moment)


def lives(evidence: Evidence) -> tuple[Life, ...]:
    """Return every process that was started, in order."""
    return tuple(_life(deed, evidence) for deed in evidence.deeds if deed.what is What.STARTED)


def spells(deeds: tuple[Deed, ...], begin: What, end: What) -> tuple[Span, ...]:
    """Return from when to when a state lasted; one that did not end lasts for ever."""
    found: list[Span] = []
    since: float | None = None
    for deed in deeds:
        if deed.what is begin and since is None:
            since = deed.at
        elif deed.what is end and since is not None:
            found.append((since, deed.at))
            since = None
    return (*found, *([(since, NEVER)] if since is not None else []))


def without(span: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """Yield what is left of *span*."""
    begin, end = span
    for hole_begin, hole_end in sorted(holes):
        if begin < min(hole_begin, end):
            yield begin, min(hole_begin, end)
        begin = max(begin, hole_end)
    if begin < end:
        yield begin, end


def outages(evidence: Evidence) -> tuple[Span, ...]:
    """Return from when to when no process was able to lead."""
    everybody = lives(evidence)
    edges = sorted({evidence.began, evidence.ended, *_edges(everybody, evidence)})
    found: list[Span] = []
    for begin, end in itertools.pairwise(edges):
        if any(life.is_able_at((begin + end) / 2) for life in everybody):
            continue
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return tuple(found)


def _edges(everybody: tuple[Life, ...], evidence: Evidence) -> Iterator[float]:
    for life in everybody:
        for moment in (life.ready, life.told, life.ended, *(edge for span in life.away for edge in span)):
            if evidence.began < moment < evidence.ended:
                yield moment


def _life(started: Deed, evidence: Evidence) -> Life:
    own = tuple(deed for deed in evidence.deeds if deed.pid == started.pid)
    first: Start | None = next((start for start in evidence.starts if start.pid == started.pid), None)
    when = {deed.what: deed.at for deed in own}
    return Life(
        replica=started.replica or "",
        pid=started.pid or 0,
        started=started.at,
        ready=first.at if first else NEVER,
        told=when.get(What.TOLD, NEVER),
        ended=min(when.get(What.KILLED, NEVER), when.get(What.EXITED, NEVER)),
        was_killed=What.KILLED in when,
        away=(
            *spells(own, What.STOPPED, What.RESUMED),
            *spells(own, What.CUT, What.HEALED),
            *spells(evidence.deeds, What.DATABASE_DOWN, What.DATABASE_UP),
        ),
    )
