"""The small project as a real server process, on a database of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.databases import database
from tests.support.servers import DAPHNE, ROOT, UVICORN, Kind, Server

PROJECT = Path(__file__).parent / "project"
KINDS: Mapping[str, Kind] = {"daphne": DAPHNE, "uvicorn": UVICORN}
SCHEDULER: Mapping[str, Mapping[str, str]] = {
    "on": {},
    "spread": {"BENCH_SPREAD": "1"},  # by their offset the tasks share out the second
    "off": {"BENCH_ENABLED": "0"},  # ASYNCSCHED = {"ENABLED": False}
    "absent": {"BENCH_INSTALLED": "0"},  # neither in INSTALLED_APPS nor in asgi.py
}


class Site:
    """A database that is migrated, and servers of the project that use it. They log into *folder*."""

    def __init__(self, folder: Path, url: str, *, scheduler: str, tasks: int) -> None:
        self.ledger = folder / "ledger"
        self._folder = folder
        self.environment = {
            "DATABASE_URL": url,
            "BENCH_TASKS": str(tasks),
            "BENCH_LEDGER": str(self.ledger),
            "DJANGO_SETTINGS_MODULE": "benchmarks.web.project.settings",
            "PYTHONPATH": os.pathsep.join(str(path) for path in (PROJECT, ROOT, ROOT / "backend")),
            "SECRET_KEY": "for benchmarks only",
            **SCHEDULER[scheduler],
        }
        self.run("-m", "django", "migrate", "--verbosity", "0")

    def server(self, kind: str, project: Path = PROJECT, **environment: str) -> Server:
        """Return a server of the *project*, with more in its *environment*, to be started."""
        environment = self.environment | environment
        return Server(KINDS[kind], folder=self._folder, project=project, environment=environment, dev=False)

    def run(self, *arguments: str) -> str:
        """Run Python with *arguments* in the project; return what it printed."""
        environment = os.environ | self.environment
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=60
        ).stdout


@contextmanager
def site_on(kind: str, *, scheduler: str = "on", tasks: int = 0) -> Iterator[Site]:
    """Give a site on a database of that *kind*; both end with the block. Raises NotHere if there is none."""
    with tempfile.TemporaryDirectory(prefix="bench-web-") as name, database(kind, Path(name)) as url:
        yield Site(Path(name), url, scheduler=scheduler, tasks=tasks)
