"""A registry of a test's own, in the modules that hold the project's by name."""

import pytest

from asyncsched import registry
from asyncsched.management.commands import async_tasks
from asyncsched.server import compose


@pytest.fixture
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the commands an empty registry. The modules are imported already: one that came later would keep it."""
    fresh = registry.Registry()
    for module in (registry, compose, async_tasks):
        monkeypatch.setattr(module, "registry", fresh)
