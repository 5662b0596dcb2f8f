"""Programs and environments that tests need, and what becomes of a test where one is missing."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
ELSEWHERE = ("/usr/sbin", "/usr/local/sbin")  # where Debian puts servers, out of the way of people


def program(name: str) -> str:
    """Return the path of the program *name*. Without it the test is skipped, and under CI it fails."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *ELSEWHERE]))
    return found or missing(f"{name} is not installed")


def python_of(venv: str) -> str:
    """Return the interpreter of an environment of this checkout; without it skip the test, or fail it under CI."""
    found = ROOT / venv / "bin" / "python"
    return str(found) if found.exists() else missing(f"there is no {venv}: make test makes it")


def missing(reason: str) -> NoReturn:
    """Skip the test, and under CI let it fail, for *reason*."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
