"""The house: imports point down, the core needs Django and asgiref only."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "backend" / "asyncsched"
MODULES = sorted(path for path in (ROOT / "backend").rglob("*.py") if "migrations" not in path.parts)


def test_every_import_points_down() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "backend")}
    linted = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "backend")))
def test_no_module_and_no_function_outgrows_a_sitting(path: Path) -> None:
    source = path.read_text()
    assert source.count("\n") <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1 - len((ast.get_docstring(node) or "").splitlines())
            assert length <= 60, f"{node.name} has {length} lines"


def test_the_public_door_opens_without_django_or_any_extra() -> None:
    code = (
        "import sys, asyncsched; asyncsched.Every(2); asyncsched.DailyAt(3);"
        "bad = {'django', 'channels', 'cronsim', 'daphne', 'twisted'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "backend", check=True)


def test_the_lifespan_can_be_imported_before_django_is_set_up() -> None:
    code = "from asyncsched.server import SchedulerLifespan; SchedulerLifespan(None)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "backend", check=True)


def test_a_missing_extra_is_named_with_the_fix() -> None:
    code = (
        "import sys; sys.modules['cronsim'] = None\n"
        "import asyncsched\n"
        "try: asyncsched.Cron('* * * * *')\n"
        "except ValueError as error: assert \"pip install 'asyncsched[cron]'\" in str(error), error\n"
        "else: sys.exit('no error')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "backend", check=True)
