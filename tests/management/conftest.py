"""A registry of a test's own, and the command called as Django calls it."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from asyncsched import registry
from asyncsched.server import compose

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the commands an empty registry. The modules are imported already: one that came later would keep it."""
    fresh = registry.Registry()
    for module in (registry, compose):
        monkeypatch.setattr(module, "registry", fresh)


@pytest.fixture
def call() -> Call:
    def call(*arguments: str) -> tuple[int, str]:
        """Return exit code and output of ``async_tasks`` with *arguments*; the error, if there was one."""
        out = io.StringIO()
        try:
            call_command("async_tasks", *arguments, stdout=out, stderr=io.StringIO())
        except CommandError as error:
            return error.returncode, str(error)
        except SystemExit as exit_:
            return int(exit_.code or 0), out.getvalue()
        return 0, out.getvalue()

    return call
