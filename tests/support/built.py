"""The wheel and the sdist, built as an index would get them."""

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What lies in the folder of distributions."""

    wheel: Path
    sdist: Path

    @property
    def in_wheel(self) -> list[str]:
        """The files that the wheel brings, with their paths below site-packages."""
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.namelist()

    @property
    def in_sdist(self) -> list[str]:
        """The files in the sdist, with their paths below its one folder."""
        with tarfile.open(self.sdist) as archive:
            return [name.partition("/")[2] for name in archive.getnames()]

    @property
    def metadata(self) -> Message:
        """What the wheel says of itself."""
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return Parser().parsestr(archive.read(name).decode())

    def unpacked_sdist(self, folder: Path) -> Path:
        """Unpack the sdist in *folder* and return the sources."""
        with tarfile.open(self.sdist) as archive:
            archive.extractall(folder, filter="data")
        (sources,) = folder.iterdir()
        return sources


def build(folder: Path, *, sources: Path = ROOT) -> Built:
    """Build both from *sources* into *folder*; a warning is an error, and so is a word of complaint."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "hatchling", "build", "-d", str(folder)],
        cwd=sources,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.lower(), done.stderr
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Built(wheel=wheel, sdist=sdist)
