"""What a run that computes costs the others: in the server's process, and handed off to another."""

from benchmarks.case import OURS, Case, Target

BESIDE = "tasks of every half second and requests beside five seconds of computing"
SYSTEMS = {
    f"{OURS}, nothing computes": "nothing",
    f"{OURS}, in the server's process": "local",
    f'{OURS}, executor="processes"': "processes",
    f'{OURS}, executor="celery"': "celery",
}


def cases(*, quick: bool) -> list[Case]:
    """Return all cases; the *quick* ones are the same, for they cannot be shorter."""
    return [
        Case(workload=BESIDE, system=system, size=1, module="benchmarks.handoff.measure", arguments=(executor,))
        for system, executor in SYSTEMS.items()
    ]


TARGETS = tuple(
    Target(
        workload=BESIDE,
        size=1,
        metric=metric,
        ours=f'{OURS}, executor="{executor}"',
        than=f"{OURS}, in the server's process",
        at_most=0.5,
        words=f'with executor="{executor}" {what} is at most half of what it is in the server\'s process',
    )
    for executor in ("processes", "celery")
    for metric, what in (
        ("start_p99_ms", "the lateness of others (p99)"),
        ("http_p99_ms", "the time of an answer (p99)"),
    )
)
