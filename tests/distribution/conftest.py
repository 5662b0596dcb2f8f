"""What is given out, built from this checkout, and environments in which it is installed."""

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.support.built import Built, build

CORE = ("asgiref", "django", "sqlparse")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheel and the sdist of this checkout."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture
def bare_python(built: Built, tmp_path: Path) -> Path:
    """The Python of a new environment with the wheel, and Django beside it, lent by the one that runs the tests."""
    site_packages = Path(str(distribution("django").locate_file("")))
    lent = {found.parts[0] for name in CORE for found in distribution(name).files or ()} - {".."}
    python, site = install(built, tmp_path / "bare")
    for part in lent:
        (site / part).symlink_to(site_packages / part)
    return python


@pytest.fixture(scope="session")
def full_python(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with the wheel, and all that the tests run with beside it."""
    python, site = install(built, tmp_path_factory.mktemp("full"))
    (site / "lent.pth").write_text(f"{distribution('django').locate_file('')}\n")
    return python


def install(built: Built, folder: Path) -> tuple[Path, Path]:
    """Install the wheel in a new environment in *folder*; return its Python and the place of its libraries."""
    python = folder / "bin" / "python"
    for arguments in (
        ("venv", "--without-pip", str(folder)),
        ("pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(built.wheel)),
    ):
        done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (site,) = folder.glob("lib/python*/site-packages")
    return python, site
