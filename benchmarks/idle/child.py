"""One system with ten tasks and nothing to do: `python -m benchmarks.idle.child SYSTEM WARM_UP SECONDS [OPTION]`."""

import importlib
import sys
from collections.abc import Mapping

from benchmarks.child import report


def measure(system: str, warm_up: str, seconds: str, *options: str) -> Mapping[str, float]:
    """Measure the system of that name once. Raises ModuleNotFoundError or NotHere if this is not possible here."""
    module = importlib.import_module(f"benchmarks.idle.{system}")
    found: Mapping[str, float] = module.measure(float(warm_up), float(seconds), *options)
    return found


if __name__ == "__main__":
    report(lambda: measure(*sys.argv[1:]))
