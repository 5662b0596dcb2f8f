"""What the real packages do, as child processes find out: each has its own Django, some their own environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CHILDREN = Path(__file__).with_name("children")
ROOT = CHILDREN.parent.parent.parent


def findings_of(child: str, python: str = sys.executable) -> dict[str, Any]:
    """Run the *child* of that name with *python* and return what it prints; fail with what it says if it fails."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTHON"))}
    command = [python, str(CHILDREN / f"{child}.py")]
    with TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, env=mine, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
