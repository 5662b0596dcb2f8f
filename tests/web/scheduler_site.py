"""The project beside this file under Daphne: somebody else's, with the scheduler and its pages."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.support.servers import DAPHNE, ROOT, Server
from tests.support.site import People, RunningSite

PROJECT = Path(__file__).parent / "project"
DUE_IN = 45 * 60  # seconds until what runs every hour does, whatever time it is: no test takes so long


def prepare(folder: Path) -> People:
    """Migrate and fill a database in *folder*, to be copied."""
    database = folder / "prepared.sqlite3"
    environment = {
        "DATABASE_URL": f"sqlite:///{database}",
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(ROOT / "backend")]),
        "SECRET_KEY": "for tests only",
        "WORK_FOLDER": str(folder),
    }
    command = [sys.executable, str(PROJECT / "prepare.py")]
    done = subprocess.run(command, env=os.environ | environment, check=True, timeout=100, stdout=subprocess.PIPE)
    return People(database=database, sessions=json.loads(done.stdout))


class SchedulerSite(RunningSite):
    """One server of the project, with a database and a folder of its own; *environment* is added to its own."""

    def __init__(self, folder: Path, prepared: People, **environment: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.database = folder / "db.sqlite3"
        shutil.copy(prepared.database, self.database)
        settings = {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "WORK_FOLDER": str(folder),
            "WORK_OFFSET": str(int(time.time() + DUE_IN) % 3600),
        }
        super().__init__(Server(DAPHNE, folder=folder, project=PROJECT, environment=settings | environment), prepared)

    def allow(self, count: int) -> None:
        """Let the task ``count_to_ten`` get as far as *count*."""
        part = self.folder / "allowed.part"
        part.write_text(str(count))
        part.replace(self.folder / "allowed")
