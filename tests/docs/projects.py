"""Django projects made as the documentation says, with the package as its wheel installs it."""

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import ROOT, blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project in *folder*. *installed* is where the unpacked wheel lies, for PYTHONPATH."""

    folder: Path
    installed: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with *arguments* in the project, as somebody would who has installed the package."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def manage(self, *arguments: str) -> str:
        """Run ``manage.py`` and return what it printed; fail with what it said if it fails."""
        done = self.run("manage.py", *arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def environment(self) -> dict[str, str]:
        """Return this process's environment without what belongs to its own Django."""
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return inherited | {"PYTHONPATH": str(self.installed), "COLUMNS": "200"}

    def append(self, page: Path) -> None:
        """Put each Python block of *page* that names a file at the end of that file."""
        for block in blocks("python", page=page):
            with (self.folder / block.name).open("a") as file:
                file.write(f"\n\n{block.text}")


def unpack_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout, and unpack it into *folder*, which is all that installing it does."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def commands(page: Path) -> list[list[str]]:
    """Return the calls of ``manage.py`` that *page* shows, each as its arguments, in order."""
    text = "\n".join(block.text for block in blocks("console", page=page))
    return [line.split() for line in re.findall(r"^(?:\$ )?python manage\.py (.+)$", text, re.MULTILINE)]
