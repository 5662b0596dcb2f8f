"""The work to be done, as values that the project and whoever judges it both read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One task of the project. Lengths of time are in seconds."""

    name: str
    period: float
    is_async: bool = True
    catch_up: str = "none"
    scope: str = "cluster"
    fails: bool = False
    """True if the first attempt at every fourth occurrence fails; the second then succeeds."""

    @property
    def is_cluster(self) -> bool:
        """True if an occurrence belongs to all replicas together."""
        return self.scope == "cluster"

    @property
    def is_claimed(self) -> bool:
        """True if a row is written before each start."""
        return self.catch_up != "none"

    @property
    def work(self) -> float:
        """How long a run takes. Claimed ones take long enough to be hit in the middle now and then."""
        return 0.25 if self.is_claimed else 0.02

    @property
    def is_complete(self) -> bool:
        """True if no occurrence may be left out."""
        return self.catch_up == "all"

    def fails_at(self, due: int, attempt: int) -> bool:
        """True if this attempt at the occurrence *due*, in microseconds since the epoch, is to fail."""
        return self.fails and attempt == 1 and round(due / 1e6 / self.period) % 4 == 0


PULSE = Job(name="pulse", period=0.5, scope="replica")
"""Tells that its replica is up."""

# One of each sort comes first, so that any selection has them all.
_CLUSTER = (
    Job(name="quick", period=0.1),
    Job(name="quick sync", period=0.25, is_async=False),
    Job(name="once", period=1.0, catch_up="once"),
    Job(name="all", period=1.0, catch_up="all", is_async=False),
    Job(name="flaky", period=1.0, fails=True),
    Job(name="steady", period=0.5),
    Job(name="once sync", period=2.0, catch_up="once", is_async=False),
    Job(name="slow sync", period=2.0, is_async=False),
    Job(name="flaky sync", period=2.5, fails=True, is_async=False),
    Job(name="slowest", period=5.0),
    Job(name="once slow", period=5.0, catch_up="once"),
    Job(name="all slow", period=3.0, catch_up="all"),
    *(Job(name=f"beat {number}", period=0.2 + 4.8 * number / 18, is_async=number % 2 == 0) for number in range(18)),
)
MOST = len(_CLUSTER)


def chosen(count: int) -> tuple[Job, ...]:
    """Return *count* jobs of scope ``cluster``, 30 at most, and the pulse."""
    return (*_CLUSTER[:count], PULSE)
