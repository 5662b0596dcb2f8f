"""
What the scheduler adds to a web process: memory, threads, and the time until it answers.

`python -m benchmarks.web.footprint SERVER SCHEDULER TASKS`. Without a scheduler the same project has it neither in
INSTALLED_APPS nor in asgi.py.
"""

import sys
import time
from pathlib import Path

from benchmarks.child import report
from benchmarks.engine.measure import Figures
from benchmarks.web.site import site_on
from tests.support.servers import Server

REQUESTS = 20  # until memory is looked at: what the first ones load is there with and without
LOOK = 0.002  # seconds between two looks whether it answers
PATIENCE = 60.0  # seconds
IMPORT = "import time, asgi; print(1000 * time.process_time())"


def measure(kind: str, scheduler: str, tasks: int) -> Figures:
    """Return the figures of one server."""
    with site_on("sqlite", scheduler=scheduler, tasks=tasks) as site:
        figures = {"import_cpu_ms": float(site.run("-c", IMPORT))}
        began = time.perf_counter()
        with site.server(kind) as server:
            _wait_until_it_answers(server)
            figures["ready_ms"] = 1000 * (time.perf_counter() - began)
            for _ in range(REQUESTS):
                server.get()
            figures |= _size_of(server)
            server.stop()
    return figures


def _size_of(server: Server) -> Figures:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    kilobytes, _ = status["VmRSS"].split()
    return {"rss_mb": int(kilobytes) * 1024 / 1e6, "threads": int(status["Threads"])}


def _wait_until_it_answers(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.get()
        except OSError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            time.sleep(LOOK)
        else:
            return


if __name__ == "__main__":
    report(lambda: measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
