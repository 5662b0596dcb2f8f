"""What ten tasks cost while nothing happens: CPU, wake-ups and statements of a home in which nobody is."""

from benchmarks.case import OURS, RAW, Case, Target

WORKLOAD = "idle: ten tasks of a home, nothing to do"
SIZE = 10
SQLITE = f"{OURS}, SQLite"
SYSTEMS = {  # module in benchmarks.idle, and its options
    RAW: ("raw",),
    SQLITE: ("ours", "sqlite"),
    f"{OURS}, PostgreSQL": ("ours", "postgres"),
    "APScheduler 3": ("apscheduler3",),
    "a thread each": ("threads",),
}
QUICK = (RAW, SQLITE)
WARM_UP = "6"  # seconds: what a first run costs, such as a row that is written soon, is not what idling costs


def cases(*, quick: bool) -> list[Case]:
    """Return what is measured, side by side."""
    lasts = "6" if quick else "60"
    return [
        Case(
            workload=WORKLOAD,
            system=system,
            size=SIZE,
            module="benchmarks.idle.child",
            arguments=(module, WARM_UP, lasts, *options),
            is_light=True,
        )
        for system, (module, *options) in SYSTEMS.items()
        if system in QUICK or not quick
    ]


TARGETS = (
    Target(
        workload=WORKLOAD,
        size=SIZE,
        metric="cpu_s_per_hour",
        ours=SQLITE,
        than=RAW,
        at_most=1.2,
        words="idle, CPU at most 1.2 times raw asyncio doing the same wake-ups",
    ),
    Target(
        workload=WORKLOAD,
        size=SIZE,
        metric="db_writes_per_minute",
        ours=SQLITE,
        at_most=2.0,
        words="idle, at most 2 write transactions a minute",
    ),
)
