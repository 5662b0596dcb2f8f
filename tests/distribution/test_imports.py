"""What importing the package costs a process that has Django: counted, for a time would be another on each machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = Path(__file__).resolve().parents[2] / "backend"
MOST = {"asyncsched": 24, "asyncsched.server": 60}
"""Modules of ours that may come in with each of them."""
STANDARD = {"fractions", "gc"}  # all of the standard library that Django has not imported yet


@pytest.mark.parametrize("name", MOST)
def test_over_django_it_brings_in_a_few_modules_of_its_own_and_no_library(name: str) -> None:
    added = imported("django.core.asgi", name) - imported("django.core.asgi")
    ours = {module for module in added if module.partition(".")[0] == "asyncsched"}
    assert len(ours) <= MOST[name]
    assert added - ours <= STANDARD


def test_the_front_door_opens_without_django() -> None:
    assert "django" not in {module.partition(".")[0] for module in imported("asyncsched")}


def imported(*names: str) -> set[str]:
    """Return the modules that a new process has after importing *names*."""
    code = f"import json, sys, {', '.join(names)}; print(json.dumps(list(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], cwd=BACKEND, check=True, stdout=subprocess.PIPE, text=True)
    return set(json.loads(printed.stdout))
