"""Where one leader's limit is: a model fed with measured costs, beside real replicas on a database that is far away."""

from dataclasses import replace

from benchmarks.case import OURS, Case, Target

MODEL = "the model"
RAMP = "claimed runs, more and more of them, {} ms from the database"
DEATH = "the leader is killed, {} ms from the database"
LIMITS = "limits of claimed runs, by the model"
RAMPS = {5: (220, (1, 3, 5)), 1: (700, (1,))}  # by distance: schedules, about as many as can be, and replicas
RAMP_SECONDS = 10.0
DISTANCE, EVEN, REPLICAS, EVEN_SECONDS = 5, 70, 3, 14.0  # for the death: a quarter of what can be
DISTANCES = (0, 1, 5, 20)
MINUTELY = 1_000  # schedules


def replicas(count: int) -> str:
    """Return what a system of so many processes is called."""
    return f"{OURS}, {count} replica{'s' if count > 1 else ''}"


def away(milliseconds: int) -> str:
    """Return what the model of a leader so many milliseconds from its database is called."""
    return f"{MODEL}, {milliseconds} ms away"


def cases(*, quick: bool) -> list[Case]:
    """Return all cases; *quick* ones are of one database, five milliseconds away."""
    ramps = [case for distance, (size, counts) in RAMPS.items() for case in _ramp(distance, size, counts)]
    if quick:
        return [*_ramp(DISTANCE, RAMPS[DISTANCE][0], (1,)), _limits(DISTANCE)]
    return [*ramps, *_death(), *map(_limits, DISTANCES)]


def _ramp(distance: int, size: int, counts: tuple[int, ...]) -> list[Case]:
    """Return the real ones, and the model of one."""
    return [
        _beside(RAMP.format(distance), system, size, module, ("ramp", distance, count, size, RAMP_SECONDS))
        for system, module, count in (*((replicas(n), "measured", n) for n in counts), (MODEL, "predicted", 1))
    ]


def _death() -> list[Case]:
    arguments = ("even", DISTANCE, REPLICAS, EVEN, EVEN_SECONDS)
    return [
        _beside(DEATH.format(DISTANCE), system, EVEN, module, arguments)
        for system, module in ((replicas(REPLICAS), "measured"), (MODEL, "predicted"))
    ]


def _beside(workload: str, system: str, size: int, module: str, arguments: tuple[object, ...]) -> Case:
    return Case(
        workload=workload,
        system=system,
        size=size,
        module=f"benchmarks.scale.{module}",
        arguments=tuple(map(str, arguments)),
        is_light=f"{DISTANCE} ms" in workload,  # who waits for a database that far away leaves the processor alone
    )


def _limits(distance: int) -> Case:
    return Case(
        workload=LIMITS,
        system=away(distance),
        size=MINUTELY,
        module="benchmarks.scale.limits",
        arguments=(str(distance),),
    )


def _within(workload: str, size: int, metric: str, of: str, share: float, words: str) -> tuple[Target, Target]:
    """Return what says that the model errs by no more than *share*, up or down."""
    most = Target(
        workload=workload,
        size=size,
        metric=metric,
        ours=MODEL,
        than=of,
        at_most=1 + share,
        words=f"{words}: the model says at most {1 + share:g} × what is measured",
    )
    least = 1 / (1 + share)
    return most, replace(most, at_most=None, at_least=least, words=f"… and at least {least:.2g} ×")


def _of_ramp(distance: int, size: int, count: int) -> tuple[Target, ...]:
    where = RAMP.format(distance), size
    words = f"{count} replica{'s' if count > 1 else ''}, {distance} ms from the database"
    return (
        *_within(*where, "runs_per_s", replicas(count), 0.3, f"{words}, saturated: runs a second"),
        *_within(*where, "late_from_due_per_s", replicas(count), 0.5, f"{words}: runs due a second when they get late"),
    )


TARGETS = (
    *(
        target
        for distance, (size, counts) in RAMPS.items()
        for count in counts
        for target in _of_ramp(distance, size, count)
    ),
    *_within(
        DEATH.format(DISTANCE),
        EVEN,
        "until_caught_up_s",
        replicas(REPLICAS),
        0.3,
        "the leader is killed: seconds until nothing is late any more",
    ),
)
