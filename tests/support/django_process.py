"""Other Django processes of this deployment, on a database of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(database_url: str, **extra: str) -> dict[str, str]:
    """Return the environment for a process of this deployment that uses *database_url*."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backend")]),
        "SECRET_KEY": "for tests only",
        **extra,
    }


def migrate(database_url: str) -> None:
    """Bring the database at *database_url* up to date."""
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environment(database_url), check=True, timeout=60)


def start(script: Path, *arguments: str, database_url: str, **extra: str) -> subprocess.Popen[str]:
    """Start *script*, to be talked to by ``stdin`` and ``stdout``."""
    command = [sys.executable, str(script), *arguments]
    return subprocess.Popen(
        command,
        env=environment(database_url, **extra),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def output_of(script: Path, *arguments: str, database_url: str, timeout: float = 100) -> str:
    """Run *script* and return what it printed; raise if it fails."""
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(
        command, env=environment(database_url), check=True, timeout=timeout, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
