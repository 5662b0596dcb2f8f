"""What came of it, for people."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import median

from tests.chaos.checker import count_by_rule, late_starts
from tests.chaos.gaps import NO_FAULT, NOBODY, Gap, count_ready, gaps, hits_leader, takeovers
from tests.chaos.harness import Scenario
from tests.chaos.lives import outages
from tests.chaos.records import FAULTS, Evidence, Limits, Violation, What

MOST_SHOWN = 12
MOST_LINES = 12


def lines(scenario: Scenario, evidence: Evidence, limits: Limits, violations: Sequence[Violation]) -> Iterator[str]:
    """Yield the report, line by line."""
    led = sum(job.is_cluster for job in evidence.jobs)
    yield (
        f"{scenario.database}: {scenario.replicas} replicas, {led} tasks, {evidence.ended - evidence.began:.0f} s, "
        f"lease {limits.lease:g} s, seed {scenario.seed}"
    )
    if any(scenario.skews()):
        yield "clocks wrong by " + ", ".join(f"{skew:+g}" for skew in scenario.skews()) + " s"
    yield ""
    yield from _figures(evidence, violations)
    yield ""
    yield from _faults(evidence)
    yield ""
    for what, name in ((What.TOLD, "SIGTERM"), (What.KILLED, "kill -9")):
        yield _takeover(evidence, what, name)
    yield ""
    yield from _verdict(violations)


def _figures(evidence: Evidence, violations: Sequence[Violation]) -> Iterator[str]:
    rules = count_by_rule(violations)
    late = [behind for _, behind in late_starts(evidence)]
    terms = {start.term for start in evidence.starts if start.term is not None}
    away = sum(end - begin for begin, end in outages(evidence))
    claimed, unclaimed = (_longest_silence(evidence, is_claimed=value) for value in (True, False))
    figures = {
        "starts": len(evidence.starts),
        "of them twice": rules["double"],
        "rows of history": f"{len(evidence.rows)}, for {sum(row.count for row in evidence.rows)} runs",
        "processes": count_ready(evidence),
        "terms": len(terms),
        "nobody was able": f"{away:.1f} s",
        "longest silence": unclaimed,
        "of claimed tasks": claimed,
        "begun after their term": f"{len(late)}, at most {max(late, default=0):.2f} s",
    }
    for name, figure in figures.items():
        yield f"{name:<26}{figure}"


def _longest_silence(evidence: Evidence, *, is_claimed: bool) -> str:
    """Say how long a task with claims, or without, did not start, and how much of it was not allowed for anyway."""
    found = [gap for gap in gaps(evidence) if gap.job.is_claimed == is_claimed]
    if not found:
        return "none"
    longest = max(found, key=lambda gap: gap.whole - gap.job.period)
    worst = max(found, key=lambda gap: gap.excess)
    return f"{longest.whole:.1f} s ({longest.job.name}); after one fault and beyond one period {_worst(worst)}"


def _faults(evidence: Evidence) -> Iterator[str]:
    worst: dict[str, Gap] = {}
    for gap in gaps(evidence):
        if gap.cause not in worst or gap.excess > worst[gap.cause].excess:
            worst[gap.cause] = gap
    yield f"{'fault':<26}{'times':>6}{'of leader':>11}   worst gap beyond one period"
    for fault in FAULTS:
        deeds = [deed for deed in evidence.deeds if deed.what is fault and evidence.began <= deed.at < evidence.ended]
        if deeds:
            hits = sum(hits_leader(evidence, deed) for deed in deeds)
            yield f"{fault:<26}{len(deeds):>6}{hits:>11}   {_worst(worst.get(fault))}"
    for cause in (NOBODY, NO_FAULT):
        yield f"{'(' + cause + ')':<43}   {_worst(worst.get(cause))}"


def _worst(gap: Gap | None) -> str:
    return f"{max(gap.excess, 0.0):.2f} s ({gap.job.name})" if gap else "none"


def _takeover(evidence: Evidence, what: What, name: str) -> str:
    times = [takeover.seconds for takeover in takeovers(evidence, what) if takeover.is_fair and takeover.seconds]
    if not times:
        return f"take-over after {name}: none to measure"
    return f"take-over after {name}: median {median(times):.2f} s, worst {max(times):.2f} s, of {len(times)}"


def _verdict(violations: Sequence[Violation]) -> Iterable[str]:
    if not violations:
        return ["No violation."]
    rules = ", ".join(f"{rule} {count}" for rule, count in count_by_rule(violations).items())
    shown = _some_of_each(violations)
    return [f"{len(violations)} VIOLATIONS ({rules}), of which:", *(_excerpt(violation) for violation in shown)]


def _excerpt(violation: Violation) -> str:
    more = len(violation.lines) - MOST_LINES
    if more <= 0:
        return str(violation)
    shortened = (*violation.lines[:MOST_LINES], f"({more} more lines)")
    return str(replace(violation, lines=shortened))


def _some_of_each(violations: Sequence[Violation]) -> list[Violation]:
    by_rule = {rule: [v for v in violations if v.rule == rule] for rule in count_by_rule(violations)}
    most = max(1, MOST_SHOWN // len(by_rule))
    return [violation for some in by_rule.values() for violation in some[:most]]
