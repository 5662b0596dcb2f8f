"""Programs of the system that tests need, and what becomes of a test where one is missing."""

import os
import shutil

import pytest

ELSEWHERE = ("/usr/sbin", "/usr/local/sbin")  # where Debian puts servers, out of the way of people


def program(name: str) -> str:
    """Return the path of the program *name*. Without it the test is skipped, and under CI it fails."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *ELSEWHERE]))
    if found is None:
        reason = f"{name} is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found
