"""The wheel, installed where nothing else is than Django, does what it is for."""

import os
import subprocess
from pathlib import Path

import pytest

SMOKE = Path(__file__).parent / "smoke.py"

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_beside_nothing_but_django_its_commands_work_and_one_line_in_asgi_py_runs_tasks(bare_python: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO_"))}
    done = subprocess.run(
        [bare_python, "-P", SMOKE, "bare"], env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
