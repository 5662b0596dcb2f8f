"""The wheel, installed where nothing else is than Django, does what it is for."""

import os
import subprocess
from pathlib import Path

import pytest

SMOKE = Path(__file__).parent / "smoke.py"

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]  # a dozen processes, one after the other


def test_beside_nothing_but_django_its_commands_work_and_one_line_in_asgi_py_runs_tasks(bare_python: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO_"))}
    command = [bare_python, "-P", SMOKE, "bare"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
