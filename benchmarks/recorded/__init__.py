"""Runs put into history as fast as they come: by the store, and by one `acreate` each."""

from benchmarks.case import OURS, Case, Target, on_database, on_each_database

WORKLOAD = "runs recorded"
WAYS = {
    "acreate": "one acreate per run",
    "summary": OURS,  # with the history that a task below a minute has by default
    "all": f'{OURS}, history="all"',
}
TASKS, QUICK_TASKS = 10_000, 1_000


def cases(*, quick: bool) -> list[Case]:
    """Return the children: each way on each database."""
    size = QUICK_TASKS if quick else TASKS
    return on_each_database(WORKLOAD, WAYS, size=size, module="benchmarks.recorded.measure")


def _system(way: str, database: str) -> str:
    return on_database(WAYS[way], database)


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
