"""The schedulers themselves: lateness, bursts, saturation, the cost of a run, memory, start-up and drain."""

from dataclasses import dataclass

from benchmarks.case import OURS, RAW, Case, Target

NO_STORE = f"{OURS}, no store"
NO_HISTORY = f"{OURS}, SQLite, no history"
SQLITE = f"{OURS}, SQLite"
POSTGRES = f"{OURS}, PostgreSQL"
HEAP = "one heap, one timer"
APSCHEDULER3 = "APScheduler 3"
APSCHEDULER4 = "APScheduler 4 (alpha)"
THREADS = "a thread each, and a watchdog"
BEAT = "Celery beat, sending nothing"
DJANGO_BEAT = "django-celery-beat, sending nothing"
TASKIQ = "taskiq"

SYSTEMS = {  # module in benchmarks.engine.systems, and its options
    RAW: ("raw",),
    HEAP: ("heap",),
    NO_STORE: ("ours", "none"),
    NO_HISTORY: ("ours", "sqlite", "none"),
    SQLITE: ("ours", "sqlite"),
    POSTGRES: ("ours", "postgres"),
    APSCHEDULER3: ("apscheduler3",),
    APSCHEDULER4: ("apscheduler4",),
    THREADS: ("threads",),
    BEAT: ("beat",),
    DJANGO_BEAT: ("django_beat",),
    TASKIQ: ("taskiq",),
}

LATENESS = "no-op jobs every 2 s"
SHORT_JOBS = "jobs that sleep 1 ms, every 2 s"
MANY = "no-op jobs every 20 s"
SATURATION = "saturation: no-op jobs every 50 ms"
BURST = "burst: all due at one instant"
MEMORY = "memory of Python's, traced"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    workload: str
    name: str  # in benchmarks.engine.workloads
    size: int
    systems: tuple[str, ...]
    is_quick: bool = False  # part of a quick run, too


# Whom a size would take minutes, or more threads than two cores can wake, is left out at it. What ten tasks cost is
# measured in the area `idle`.
_GROUPS = (
    _Group(
        workload=LATENESS,
        name="lateness",
        size=1_000,
        systems=(RAW, SQLITE, APSCHEDULER3, APSCHEDULER4, THREADS, TASKIQ, BEAT, DJANGO_BEAT),
    ),
    _Group(
        workload=LATENESS,
        name="lateness",
        size=10_000,
        systems=(RAW, HEAP, NO_STORE, NO_HISTORY, SQLITE, POSTGRES, APSCHEDULER3),
        is_quick=True,
    ),
    _Group(workload=SHORT_JOBS, name="short-jobs", size=1_000, systems=(RAW, SQLITE, APSCHEDULER3)),
    _Group(
        workload=BURST,
        name="burst",
        size=10_000,
        systems=(RAW, HEAP, NO_STORE, SQLITE, APSCHEDULER3),
    ),
    _Group(
        workload=SATURATION,
        name="saturation",
        size=10_000,
        systems=(RAW, NO_STORE, SQLITE, APSCHEDULER3, APSCHEDULER4),
        is_quick=True,
    ),
    _Group(workload=MEMORY, name="memory", size=10_000, systems=(RAW, HEAP, SQLITE, APSCHEDULER3)),
    _Group(workload=MANY, name="many", size=100_000, systems=(RAW, SQLITE)),
)

_QUICK = (RAW, SQLITE, APSCHEDULER3)

TARGETS = (
    Target(
        workload=BURST,
        size=10_000,
        metric="last_started_ms",
        ours=SQLITE,
        than=RAW,
        at_most=1.5,
        words="of 10,000 due at once the last starts within 1.5 × the time of raw asyncio",
    ),
    Target(
        workload=BURST,
        size=10_000,
        metric="last_started_ms",
        ours=SQLITE,
        than=APSCHEDULER3,
        at_most=1 / 3,
        words="… and 3 × sooner than with APScheduler 3",
    ),
    Target(
        workload=SATURATION,
        size=10_000,
        metric="runs_per_s",
        ours=SQLITE,
        than=RAW,
        at_least=0.6,
        words="saturated, 0.6 × as many runs a second as raw asyncio",
    ),
    Target(
        workload=SATURATION,
        size=10_000,
        metric="runs_per_s",
        ours=SQLITE,
        than=APSCHEDULER3,
        at_least=4,
        words="… 4 × as many as APScheduler 3",
    ),
    Target(
        workload=SATURATION,
        size=10_000,
        metric="runs_per_s",
        ours=SQLITE,
        than=APSCHEDULER4,
        at_least=30,
        words="… 30 × as many as APScheduler 4",
    ),
    Target(
        workload=LATENESS,
        size=10_000,
        metric="p99_ms",
        ours=SQLITE,
        than=RAW,
        at_most=1.2,
        words="p99 lateness of 10,000 schedules every 2 s within 1.2 × that of raw asyncio",
    ),
    Target(
        workload=LATENESS,
        size=10_000,
        metric="cpu_per_run_us",
        ours=NO_HISTORY,
        than=RAW,
        plus=10,
        words="CPU per run at most 10 µs above raw asyncio without history",
    ),
    Target(
        workload=LATENESS,
        size=10_000,
        metric="cpu_per_run_us",
        ours=SQLITE,
        than=RAW,
        plus=25,
        words="… and 25 µs with it",
    ),
    Target(
        workload=MEMORY,
        size=10_000,
        metric="memory_per_schedule_bytes",
        ours=SQLITE,
        at_most=2_000,
        words="a schedule takes at most 2 kB of memory",
    ),
    Target(
        workload=MANY,
        size=100_000,
        metric="start_s",
        ours=SQLITE,
        at_most=3,
        words="100,000 schedules start within 3 s",
    ),
    Target(
        workload=MANY,
        size=100_000,
        metric="p99_ms",
        ours=SQLITE,
        than=RAW,
        at_most=2,
        words="… and their p99 lateness stays within 2 × that of raw asyncio",
    ),
)


def cases(*, quick: bool) -> list[Case]:
    """Return the children of a run; of a *quick* one those that show the most in little time."""
    return [
        _case(group, system)
        for group in _GROUPS
        for system in group.systems
        if not quick or (group.is_quick and system in _QUICK)
    ]


def _case(group: _Group, system: str) -> Case:
    name, *options = SYSTEMS[system]
    return Case(
        workload=group.workload,
        system=system,
        size=group.size,
        module="benchmarks.engine.child",
        arguments=(name, group.name, str(group.size), *options),
        venv=".venv-bench-apscheduler4" if system == APSCHEDULER4 else ".venv-bench",
    )
