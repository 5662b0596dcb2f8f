"""What nobody publishes: web requests and schedules on one loop, what one adds to the other, take-over, the clock."""

from benchmarks.case import OURS, Case, Target

WITHOUT = "no scheduler"
SPREAD = f"{OURS}, tasks spread by their offset"
MANY = 1000  # tasks: enough to see what it is good for that they do not all start at once
BESIDE = "web requests beside tasks of every second, {}"
FOOTPRINT = "what a web process of {} takes"
IMPORTING = "importing into a web process"
IMPORTED = {"Django": (), OURS: ("asyncsched",), f"{OURS}, for asgi.py": ("asyncsched.server",)}  # besides Django
TAKE_OVER = "take-over between two replicas"
JUMP = "clock jumps ten years ahead, {}"

JUMPS = ("every 50 ms", "every hour", "daily", "cron in working hours", "cron on 29 February")
JUMPING = 100  # tasks
COMPARED = ("every hour", "daily")  # what APScheduler 3 copes with: it goes through every instant that it has missed


def cases(*, quick: bool) -> list[Case]:
    """Return all cases; *quick* ones are fewer and shorter."""
    return [*_beside(quick=quick), *_footprints(), *_imports(), *_take_overs(quick=quick), *_jumps(quick=quick)]


def _beside(*, quick: bool) -> list[Case]:
    sizes = {"daphne": (100,)} if quick else {"daphne": (10, 100, 1000), "uvicorn": (100,)}
    return [
        Case(
            workload=BESIDE.format(server),
            system=system,
            size=size,
            module="benchmarks.web.beside_traffic",
            arguments=(server, scheduler, str(size), "1.5" if quick else "2.5"),
        )
        for server, of_server in sizes.items()
        for size in of_server
        for system, scheduler in ((WITHOUT, "off"), (OURS, "on"), (SPREAD, "spread"))
        if system != SPREAD or size == MANY
    ]


def _footprints() -> list[Case]:
    return [
        Case(
            workload=FOOTPRINT.format("daphne"),
            system=system,
            size=10,
            module="benchmarks.web.footprint",
            arguments=("daphne", scheduler, "10"),
        )
        for system, scheduler in ((WITHOUT, "absent"), (OURS, "on"))
    ]


def _imports() -> list[Case]:
    return [
        Case(
            workload=IMPORTING,
            system=system,
            size=1,
            module="benchmarks.web.importing",
            arguments=("django.core.asgi", *modules),
        )
        for system, modules in IMPORTED.items()
    ]


def _take_overs(*, quick: bool) -> list[Case]:
    signals = ("SIGTERM",) if quick else ("SIGTERM", "SIGKILL")
    return [
        Case(
            workload=TAKE_OVER,
            system=f"{OURS}, {name}",
            size=2,
            module="benchmarks.web.take_over",
            arguments=(kind, *signals),
        )
        for name, kind in (("SQLite", "sqlite"), ("PostgreSQL", "postgres"))
    ]


def _jumps(*, quick: bool) -> list[Case]:
    ours = [(schedule, JUMPING, OURS, "ours") for schedule in JUMPS]
    compared = [
        (schedule, 1, name, system)
        for schedule in COMPARED
        for name, system in ((OURS, "ours"), ("APScheduler 3", "apscheduler"))
    ]
    return [
        Case(
            workload=JUMP.format(schedule),
            system=name,
            size=size,
            module="benchmarks.web.clock_jump",
            arguments=(system, schedule, str(size)),
        )
        for schedule, size, name, system in (compared if quick else ours + compared)
    ]


TARGETS = (
    Target(
        workload=IMPORTING,
        size=1,
        metric="import_cpu_ms",
        ours=OURS,
        than="Django",
        plus=30.0,
        words="importing asyncsched takes at most 30 ms more than importing Django",
    ),
    *(
        Target(workload=TAKE_OVER, size=2, metric=metric, ours=f"{OURS}, {name}", at_most=seconds, words=words)
        for name in ("SQLite", "PostgreSQL")
        for metric, seconds, words in (
            (
                "sigterm_until_first_run_s",
                2.0,
                f"{name}: after SIGTERM the other replica runs the task within 2 s",
            ),
            (
                "sigkill_until_first_run_s",
                10.5,
                f"{name}: after SIGKILL it does within the lease time of 10 s, and half a second until the task is due",
            ),
        )
    ),
    *(
        Target(
            workload=JUMP.format(schedule),
            size=1,
            metric="cpu_per_task_us",
            ours=OURS,
            than="APScheduler 3",
            at_most=0.1,
            words=f"a jump of ten years costs a task that runs {schedule} at most a tenth of its cost in APScheduler 3",
        )
        for schedule in COMPARED
    ),
)
