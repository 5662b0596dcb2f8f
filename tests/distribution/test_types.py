"""Who checks types has complete ones: a project that uses every public name passes `mypy --strict`."""

import ast
import importlib
import inspect
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

import pytest

import asyncsched
from tests.support.built import ROOT

SAMPLE = Path(__file__).parent / "sample"
PAGE = ROOT / "docs" / "reference" / "python.md"
PACKAGE = str(Path(asyncsched.__file__).parent)
PUBLIC = re.findall(r"^::: (asyncsched[\w.]*)$", PAGE.read_text(), re.MULTILINE)
"""What the page of the Python interface lists: names, and modules of which all names are public."""


def found(name: str) -> Any:
    """Return what the dotted *name* stands for."""
    module, _, attribute = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(importlib.import_module(module), attribute)


def names() -> list[str]:
    """Return the dotted names of everything public; instead of a module those of what is defined in it."""
    listed = [f"asyncsched.{name}" for name in asyncsched.__all__]
    for name in PUBLIC:
        thing = found(name)
        listed += [f"{name}.{key}" for key in defined_in(thing)] if inspect.ismodule(thing) else [name]
    return sorted(set(listed))


def defined_in(module: ModuleType) -> list[str]:
    """Return the names of the classes and values that *module* itself makes."""
    own = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    return [key for key, value in own.items() if not inspect.isclass(value) or value.__module__ == module.__name__]


def functions(thing: Any) -> Iterator[FunctionType]:
    """Yield the functions that *thing* is or, if it is a class, that it and the classes above it are made of."""
    members: list[Any] = [thing]
    if inspect.isclass(thing):
        ours = [base for base in thing.__mro__ if base.__module__.startswith("asyncsched")]
        members = [member for base in ours for member in vars(base).values()]
    for member in members:
        function = getattr(member, "__func__", getattr(member, "fget", member))  # of class methods and properties
        if inspect.isfunction(function) and function.__code__.co_filename.startswith(PACKAGE):  # not made by dataclass
            yield function


@pytest.mark.parametrize("name", names())
def test_a_public_name_is_annotated_throughout(name: str) -> None:
    for function in functions(found(name)):
        wanted = {key for key in inspect.signature(function).parameters if key not in ("self", "cls")} | {"return"}
        assert wanted <= set(get_type_hints(function)), function.__qualname__


def test_the_sample_uses_every_public_name() -> None:
    used = set[str]()
    for path in SAMPLE.rglob("*.py"):
        text = path.read_text()
        imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
        used |= {alias.name for node in imports for alias in node.names}
        used |= set(re.findall(r'"asyncsched\.[\w.]+\.(\w+)"', text))  # classes that settings name
    assert {name.rpartition(".")[2] for name in names()} <= used


def test_the_sample_uses_every_option_of_register() -> None:
    tree = ast.parse((SAMPLE / "shop" / "tasks.py").read_text())
    used = {keyword.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords}
    assert set(inspect.signature(asyncsched.register).parameters) - {"name", "schedule"} <= used


@pytest.mark.slow
@pytest.mark.parametrize("configuration", ["mypy.ini", "mypy-django.ini"])
def test_the_sample_passes_mypy_strict(configuration: str, full_python: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(SAMPLE)}
    command = [full_python, "-m", "mypy", "--config-file", configuration, "--cache-dir", str(tmp_path), "."]
    done = subprocess.run(
        command, cwd=SAMPLE, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"no issues found in {len(list(SAMPLE.rglob('*.py')))} source files" in done.stdout
