"""The status on its way to WebSocket clients, beside Channels' own way of telling a group."""

from collections.abc import Iterable

from benchmarks.case import OURS, Case, Target

DAPHNE, UVICORN, REPLICAS = "push, Daphne", "push, uvicorn", "push, three Daphnes and Valkey"
PLAIN, DIRECT = "plain Channels", "send() in a loop"
SYSTEMS = {OURS: "ours", PLAIN: "channels", DIRECT: "direct"}


def cases(*, quick: bool) -> list[Case]:
    """Return the children: each way, on each server."""
    few = _side_by_side(DAPHNE, 200, "daphne", every=0.3)
    if quick:
        return few
    return [
        *few,
        *_side_by_side(DAPHNE, 1000, "daphne", systems=(OURS, PLAIN, DIRECT)),
        *_side_by_side(UVICORN, 1000, "uvicorn"),
        *_side_by_side(REPLICAS, 1000, "daphne", replicas=3),
    ]


def _side_by_side(
    workload: str,
    clients: int,
    server: str,
    *,
    systems: Iterable[str] = (OURS, PLAIN),
    replicas: int = 1,
    every: float = 0.8,
) -> list[Case]:
    return [
        Case(
            workload=workload,
            system=system,
            size=clients,
            module="benchmarks.push.measure",
            arguments=(SYSTEMS[system], server, str(clients), str(replicas), str(every)),
        )
        for system in systems
    ]


TARGETS = tuple(
    target
    for workload in (DAPHNE, REPLICAS)
    for target in (
        Target(
            workload=workload,
            size=1000,
            metric="cpu_per_client_message_us",
            ours=OURS,
            than=PLAIN,
            at_most=1 / 5,
            words=f"{workload}: a fifth of the processor time of plain Channels, or less",
        ),
        Target(
            workload=workload,
            size=1000,
            metric="p99_ms",
            ours=OURS,
            at_most=100,
            words=f"{workload}: 99 of 100 messages reach 1,000 clients within 100 ms",
        ),
    )
)
