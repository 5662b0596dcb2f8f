"""The workloads, each the same for all systems."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from benchmarks.engine.measure import Figures, Memory, Window, lateness
from benchmarks.engine.plan import Plan, System, spread

SHORT_JOB = 0.001  # seconds it sleeps
WARM = 3  # runs of each schedule, on average, after which a saturated system is warm
PATIENCE = 10.0  # seconds after which it is not waited for any longer

Workload = Callable[[System, int], Awaitable[Figures]]


async def every_two_seconds(system: System, size: int) -> Figures:
    """Schedules spread evenly over two seconds: how late do they start, and what does a run cost?"""
    return await _steady(system, _plan(system, size, period=2.0), warmup=4.0)


async def short_jobs(system: System, size: int) -> Figures:
    """The same with jobs that sleep for a millisecond."""
    return await _steady(system, _plan(system, size, period=2.0, seconds=SHORT_JOB))


async def many(system: System, size: int) -> Figures:
    """The same for very many, more seldom: 5,000 runs a second, as of ten thousand every two seconds."""
    return await _steady(system, _plan(system, size, period=20.0), warmup=4.0, window=4.0)


async def smoke(system: System, size: int) -> Figures:
    """Half a second of it, to see that a system works at all."""
    return await _steady(system, _plan(system, size, period=0.1), warmup=0.1, window=0.4)


async def saturation(system: System, size: int) -> Figures:
    """More runs are due than anything can do: how many are done?"""
    plan = _plan(system, size, period=0.05)
    await system.start(plan)
    opened = Window()
    while len(plan.late) < WARM * size and opened.seconds < PATIENCE:  # noqa: ASYNC110 - no job tells anybody
        await asyncio.sleep(0.1)
    window = Window()
    plan.late.clear()
    await asyncio.sleep(2)
    runs, seconds, cpu = len(plan.late), window.seconds, window.cpu
    await system.stop()
    return {
        "runs_per_s": runs / seconds,
        "cpu_per_run_us": cpu / max(1, runs) * 1e6,
        "cpu_percent": cpu / seconds * 100,
    }


async def burst(system: System, size: int) -> Figures:
    """All are due at one instant, and two seconds later again: how long after the second one does the last start?"""
    lead, period = 1.5, 2.0
    first = time.time() + lead
    offset = round(first % period, 3)
    plan = Plan((offset,) * size, period)
    await system.start(plan)
    second = plan.next_after(first - 0.001, offset) + period
    await asyncio.sleep(second - 0.05 - time.time())
    plan.late.clear()
    while time.time() < second + 0.9 * period and len(plan.late) < size:  # noqa: ASYNC110 - no job tells anybody
        await asyncio.sleep(0.1)
    late = plan.late[:size]
    await system.stop()
    missing = {"missed_percent": 100 * (1 - len(late) / size)}
    return missing if len(late) < size else {"last_started_ms": max(late) * 1e3} | missing


async def memory(system: System, size: int) -> Figures:
    """What a schedule that has run once takes of Python's memory."""
    plan = _plan(system, size, period=2.0)
    allocated = Memory(traced=True)
    await system.start(plan)
    await asyncio.sleep(1.5 * plan.period)
    plan.late.clear()
    taken = allocated.taken()
    await system.stop()
    return {"memory_per_schedule_bytes": taken / size}


WORKLOADS: dict[str, Workload] = {
    "smoke": smoke,
    "lateness": every_two_seconds,
    "short-jobs": short_jobs,
    "many": many,
    "saturation": saturation,
    "burst": burst,
    "memory": memory,
}


def _plan(system: System, size: int, *, period: float, seconds: float = 0.0) -> Plan:
    offsets = spread(size, period) if system.spreads else (0.0,) * size
    return Plan(offsets, period, seconds=seconds)


async def _steady(system: System, plan: Plan, *, warmup: float = 2.0, window: float = 2.0) -> Figures:
    """Start, let it warm up, look at it for a while, and stop."""
    await system.aligned(plan)
    resident = Memory(traced=False)
    opened = Window()
    await system.start(plan)
    await asyncio.sleep(0)  # all that was started takes its first step
    start, start_cpu = opened.seconds, opened.cpu
    taken = resident.taken()
    await asyncio.sleep(warmup)
    plan.late.clear()
    opened = Window()
    await asyncio.sleep(window)
    late, seconds, cpu = plan.late.copy(), opened.seconds, opened.cpu
    opened = Window()
    await system.stop()
    due = plan.count * seconds / plan.period
    return lateness(late) | {
        "missed_percent": max(0.0, 100 * (1 - len(late) / due)),
        "cpu_per_run_us": cpu / max(1, len(late)) * 1e6,
        "start_s": start,
        "start_cpu_s": start_cpu,
        "stop_s": opened.seconds,
        "resident_per_schedule_bytes": taken / plan.count,
    }
