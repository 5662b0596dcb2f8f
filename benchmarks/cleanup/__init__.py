"""Deleting a million expired rows while the status is pushed every two seconds: in batches, and in one DELETE."""

from benchmarks.case import DATABASES, OURS, Case, Target, on_database, on_each_database

WORKLOAD = "clean-up beside the push"
WAYS = {"batches": OURS, "delete": "one DELETE"}
ROWS, QUICK_ROWS = 1_000_000, 100_000
LATEST_PUSH = 250  # ms


def cases(*, quick: bool) -> list[Case]:
    """Return the children: each way on each database."""
    size = QUICK_ROWS if quick else ROWS
    return on_each_database(WORKLOAD, WAYS, size=size, module="benchmarks.cleanup.measure")


def _system(way: str, database: str) -> str:
    return on_database(WAYS[way], database)


TARGETS = (
    *(
        Target(
            workload=WORKLOAD,
            size=ROWS,
            metric="push_worst_ms",
            ours=_system("batches", database),
            at_most=LATEST_PUSH,
            words=f"no push later than {LATEST_PUSH} ms while 1,000,000 rows go, {name}",
        )
        for database, name in DATABASES.items()
    ),
    Target(
        workload=WORKLOAD,
        size=ROWS,
        metric="total_s",
        ours=_system("batches", "postgres"),
        than=_system("delete", "postgres"),
        at_most=2.0,
        words="1,000,000 rows in at most twice the time of one DELETE, PostgreSQL",
    ),
)
