"""Django projects made as the documentation says, with the package as its wheel installs it."""

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import blocks
from tests.support.built import build


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project in *folder*. *installed* is where the package is installed."""

    folder: Path
    installed: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes: this one's, without what belongs to our own Django."""
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return inherited | {"PYTHONPATH": str(self.installed), "COLUMNS": "200"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with *arguments* in the project's folder."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
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

    def start(self, app: str) -> None:
        """Make the project ``mysite`` in its folder, and *app* in it, as Django's own commands do."""
        for arguments in (("startproject", "mysite", "."), ("startapp", app)):
            done = self.run("-m", "django", *arguments)
            assert done.returncode == 0, done.stderr

    def write(self, page: Path, *, anew: frozenset[str] = frozenset()) -> None:
        """Put each Python block of *page* at the end of the file it names; those in *anew* are replaced."""
        for block in blocks("python", page=page):
            file = self.folder / block.name
            before = file.read_text() if file.exists() and block.name not in anew else ""
            file.write_text(f"{before}\n{block.text}")


def unpack_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout and unpack it in *folder*, which is all that installing it does."""
    with zipfile.ZipFile(build(folder / "dist").wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def commands(page: Path) -> list[list[str]]:
    """Return the calls of ``manage.py`` that *page* shows, each as its arguments, in order."""
    text = "\n".join(block.text for block in blocks("console", page=page))
    return [line.split() for line in re.findall(r"^(?:\$ )?python manage\.py (.+)$", text, re.MULTILINE)]


def output(page: Path, command: str) -> str:
    """Return what *page* shows as the output of *command*, a call of ``manage.py``, the first time."""
    (text, *_) = [
        block.text for block in blocks("console", page=page) if f"$ python manage.py {command}\n" in block.text
    ]
    return text.partition(f"{command}\n")[2].partition("$ ")[0]


def names_and_schedules(listed: str) -> list[tuple[str, str]]:
    """Return the first two columns of a list of tasks."""
    lines = [re.split(r" {2,}", line) for line in listed.splitlines() if " enabled " in line]
    return [(cells[0], cells[1]) for cells in lines]
