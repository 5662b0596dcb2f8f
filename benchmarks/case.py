"""What an area of benchmarks tells the runner: which children to start, and what the figures are to be."""

from collections.abc import Mapping
from dataclasses import dataclass

RAW = "raw asyncio"
OURS = "asyncsched"
DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One system at one size under one workload: one child process a repeat.

    The child is `python -m <module> <arguments>` from the root of the project. Its last line on stdout is one JSON
    object of plain numbers with units in their names. Exit code 3, with a sentence on stderr, says that it cannot be
    measured here.
    """

    workload: str  # as in the table: "lateness", "push to WebSocket clients"
    system: str  # as in the table: "raw asyncio", "asyncsched, SQLite"
    size: int  # how many schedules, clients, rows
    module: str  # "benchmarks.engine.raw"
    arguments: tuple[str, ...] = ()
    venv: str = ".venv-bench"  # folder of the environment, relative to the root of the project
    is_light: bool = False  # it hardly uses the processor: all of its group are measured at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    What one figure of ours has to be. Judged by the medians of one run.

    With `than` the limits are ratios of ours to that system at the same workload, size and metric, without it they are
    in the metric's unit. `plus` allows an amount in the metric's unit above the other system instead of a ratio.
    """

    workload: str
    size: int
    metric: str
    ours: str  # the system that has to meet it
    than: str | None = None
    at_most: float | None = None
    at_least: float | None = None
    plus: float | None = None
    words: str  # the target as a person says it


def on_database(way: str, database: str) -> str:
    """Return what the system is called that goes this *way* on *database*, a key of DATABASES."""
    return f"{way}, {DATABASES[database]}"


def on_each_database(workload: str, ways: Mapping[str, str], *, size: int, module: str) -> list[Case]:
    """Return the cases of *ways* on each database: the arguments of the child are database, way and size."""
    return [
        Case(
            workload=workload,
            system=on_database(words, database),
            size=size,
            module=module,
            arguments=(database, way, str(size)),
        )
        for database in DATABASES
        for way, words in ways.items()
    ]
