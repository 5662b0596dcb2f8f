"""What is known after a run of chaos, as values. Moments are seconds of the machine's monotonic clock."""

from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.project.jobs import Job


class What(StrEnum):
    """What was done to a replica or to the database, or what became of it."""

    STARTED = "started"
    KILLED = "killed"
    TOLD = "told to stop"
    EXITED = "exited"
    STOPPED = "stopped"
    RESUMED = "resumed"
    CUT = "cut off"
    HEALED = "connected again"
    SEVERED = "connections closed"
    SESSIONS = "sessions terminated"
    DATABASE_DOWN = "database down"
    DATABASE_UP = "database up"


FAULTS = (
    What.KILLED,
    What.TOLD,
    What.STOPPED,
    What.CUT,
    What.SEVERED,
    What.SESSIONS,
    What.DATABASE_DOWN,
)
"""What may take the lead from the replica it happens to; the database happens to them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One line of the ledger: a task's function began."""

    task: str
    due: int
    """Which occurrence it was for, in microseconds since the epoch."""
    attempt: int
    trigger: str
    term: int | None
    run_id: str
    replica: str
    pid: int
    at: float

    def __str__(self) -> str:
        return (
            f"{self.at:9.3f} {self.task} due {self.due / 1e6:.3f} attempt {self.attempt} ({self.trigger}) "
            f"term {self.term} by {self.replica}/{self.pid} run {self.run_id[:8]}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One line of the harness's log. *replica* and *pid* are None for what happens to the database."""

    at: float
    what: What
    replica: str | None = None
    pid: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        whom = f" {self.replica}/{self.pid}" if self.replica else ""
        return f"{self.at:9.3f} --{whom} {self.what}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """From *at* on the lease's row said this, until the next one. *pid* is None while nobody held it."""

    at: float
    term: int
    pid: int | None

    def __str__(self) -> str:
        return f"{self.at:9.3f} lease: term {self.term}, pid {self.pid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of history. *count* above 1 sums up several runs, of which *run_id* and *due* name one."""

    run_id: str
    task: str
    due: int
    attempt: int
    status: str
    pid: int
    count: int
    term: int | None

    def __str__(self) -> str:
        return (
            f"row {self.run_id[:8]} {self.task} due {self.due / 1e6:.3f} attempt {self.attempt} "
            f"{self.status} x{self.count} term {self.term} pid {self.pid}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it. The chaos lasted from *began* to *ended*; *starts*, *deeds* and *leads* are in order of time."""

    jobs: tuple[Job, ...]
    starts: tuple[Start, ...]
    deeds: tuple[Deed, ...]
    rows: tuple[Row, ...]
    leads: tuple[Lead, ...]
    began: float
    ended: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed, in seconds."""

    lease: float
    """The setting LEASE_SECONDS."""
    tolerance: float
    """For whatever a busy machine delays: a start, a wake-up, the start-up of a process's threads."""
    late: float = 0.5
    """A function may begin its first line this much after it was allowed to: it waits for a thread, or the loop."""
    handover: float = 1.0
    """From SIGTERM of the leader to the first start by the next one."""
    start_up: float = 20.0
    """A process that is left in peace is at work after this."""
    summed_up: float = 60.0
    """A process that dies takes with it what it has not told history yet: the successes of its last minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A *rule* was broken; *lines* of ledger, history and log are the proof."""

    rule: str
    text: str
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.rule}: {self.text}", *(f"    {line}" for line in self.lines)])
