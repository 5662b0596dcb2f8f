"""The line people look for, in stacks of all kinds."""

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from traceback import FrameSummary

import pytest

from asyncsched.engine import stacks
from asyncsched.engine.stacks import STANDARD_LIBRARY, THIS_PACKAGE
from tests.support.deadline import eventually

MINE = str(Path.cwd() / "shop" / "tasks.py")
INSTALLED = "/usr/lib/python3/dist-packages/requests/api.py"
STANDARD = f"{STANDARD_LIBRARY}/socket.py"
OURS = f"{THIS_PACKAGE}/engine/executor.py"


def stack(*files: str) -> stacks.Stack:
    return [FrameSummary(file, number, f"f{number}", lookup_line=False) for number, file in enumerate(files, start=1)]


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ((OURS, MINE, MINE), "shop/tasks.py:3 (f3)"),
        ((OURS, MINE, INSTALLED, STANDARD), "shop/tasks.py:2 (f2)"),
        ((OURS, INSTALLED, STANDARD), f"{INSTALLED}:2 (f2)"),
        ((OURS, INSTALLED, OURS), f"{INSTALLED}:2 (f2)"),
        ((OURS, STANDARD), f"{STANDARD}:2 (f2)"),
        ((MINE, "<frozen importlib._bootstrap>"), "shop/tasks.py:1 (f1)"),
        ((), "no line of Python"),
    ],
    ids=["ones own", "under a library", "library only", "our own last", "standard only", "importing", "nothing"],
)
def test_the_innermost_line_of_the_project_is_named(files: tuple[str, ...], where: str) -> None:
    assert stacks.where(stack(*files)) == where


def test_an_environment_inside_the_project_is_not_the_project() -> None:
    inside = str(Path.cwd() / ".venv" / "lib" / "python3.11" / "site-packages" / "requests" / "api.py")
    assert stacks.where(stack(MINE, inside)) == "shop/tasks.py:1 (f1)"


def test_a_stack_reads_like_a_traceback_innermost_last() -> None:
    def callback(_: object) -> object:
        seen.append(stacks.stack_of(sys._getframe()))
        return {}

    seen: list[stacks.Stack] = []
    json.loads("{}", object_hook=callback)
    lines = stacks.text(seen[0]).splitlines()
    assert lines[-1].strip() == "seen.append(stacks.stack_of(sys._getframe()))"
    assert lines[-2].endswith("in test_a_stack_reads_like_a_traceback_innermost_last.<locals>.callback")


def test_a_recursion_is_shortened_in_the_middle() -> None:
    def sink(depth: int, then: Callable[[], None]) -> None:
        return rise(depth - 1, then) if depth else then()

    def rise(depth: int, then: Callable[[], None]) -> None:
        return sink(depth - 1, then) if depth else then()

    seen: list[stacks.Stack] = []
    sink(300, lambda: seen.append(stacks.stack_of(sys._getframe())))
    text = stacks.text(seen[0])
    assert "more calls …" in text
    assert len(text.splitlines()) < 3 * stacks.MAX_CALLS
    assert text.endswith("seen.append(stacks.stack_of(sys._getframe())))")


async def test_another_thread_is_where_it_waits() -> None:
    release = threading.Event()
    thread = threading.Thread(target=lambda: release.wait(30))
    thread.start()
    await eventually(lambda: "test_another_thread" in stacks.where_thread_is(thread.ident))
    release.set()
    thread.join()
    assert stacks.where_thread_is(thread.ident) == "no line of Python"
