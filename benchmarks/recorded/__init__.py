"""Runs put into history as fast as they come: by the store, and by one `acreate` each."""

from benchmarks.case import OURS, Case, Target

WORKLOAD = "runs recorded"
DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
WAYS = {
    "acreate": "one acreate per run",
    "summary": OURS,  # with the history that a task below a minute has by default
    "all": f'{OURS}, history="all"',
}
TASKS, QUICK_TASKS = 10_000, 1_000


def cases(*, quick: bool) -> list[Case]:
    """Return the children: each way on each database."""
    tasks = QUICK_TASKS if quick else TASKS
    return [
        Case(
            workload=WORKLOAD,
            system=_system(way, database),
            size=tasks,
            module="benchmarks.recorded.measure",
            arguments=(database, way, str(tasks)),
        )
        for database in DATABASES
        for way in WAYS
    ]


def _system(way: str, database: str) -> str:
    return f"{WAYS[way]}, {DATABASES[database]}"


TARGETS = (
    Target(
        workload=WORKLOAD,
        size=TASKS,
        metric="runs_per_s",
        ours=_system("summary", "postgres"),
        than=_system("acreate", "postgres"),
        at_least=20,
        words="20 × as many runs recorded a second as with one acreate each, PostgreSQL",
    ),
    Target(
        workload=WORKLOAD,
        size=TASKS,
        metric="loop_stall_p99_ms",
        ours=_system("summary", "postgres"),
        at_most=5,
        words="… and the event loop stands still for 5 ms at most (p99) meanwhile",
    ),
)
