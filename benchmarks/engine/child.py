"""One system under one workload at one size: `python -m benchmarks.engine.child SYSTEM WORKLOAD SIZE [OPTION]`."""

import asyncio
import importlib
import sys

from benchmarks.child import report
from benchmarks.engine.measure import Figures
from benchmarks.engine.plan import System
from benchmarks.engine.workloads import WORKLOADS


def measure(name: str, workload: str, size: str, *options: str) -> Figures:
    """Measure the system of that *name* once. Raises ModuleNotFoundError or NotHere if this is not possible here."""
    system: System = importlib.import_module(f"benchmarks.engine.systems.{name}").system(*options)
    with system.prepared():
        return asyncio.run(_measured(system, workload, int(size)))


async def _measured(system: System, workload: str, size: int) -> Figures:
    return await WORKLOADS[workload](system, size)


if __name__ == "__main__":
    report(lambda: measure(*sys.argv[1:]))
