"""
What importing takes: the CPU time of a new process for importing the modules named, one after the other.

`python -m benchmarks.web.importing MODULE…`
"""

import subprocess
import sys

from benchmarks.child import report
from benchmarks.engine.measure import Figures

IMPORT = "import time; before = time.process_time(); import {}; print(1000 * (time.process_time() - before))"


def measure(modules: list[str]) -> Figures:
    """Return the figure of one process."""
    command = [sys.executable, "-c", IMPORT.format(", ".join(modules))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return {"import_cpu_ms": float(done.stdout)}


if __name__ == "__main__":
    report(lambda: measure(sys.argv[1:]))
