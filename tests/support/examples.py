"""A pytest plugin for `make test-long`: more examples for every property, and their number at the end.

HYPOTHESIS_PROFILE=nightly python -m pytest -p tests.support.examples tests/schedules
"""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

EXAMPLES_PER_PROPERTY = 8_000

hypothesis.settings.register_profile("nightly", deadline=None, max_examples=EXAMPLES_PER_PROPERTY)

passed: Counter[str] = Counter()
"""How many examples each property has held for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        handle = getattr(getattr(item, "obj", None), "hypothesis", None)
        if handle is not None:
            handle.inner_test = _counting(item.nodeid, handle.inner_test)


def _counting(name: str, test: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(test)
    def counted(*arguments: Any, **keywords: Any) -> None:
        test(*arguments, **keywords)
        passed[name] += 1

    return counted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, number in sorted(passed.items()):
        terminalreporter.write_line(f"{number:>9,} {name}")
    terminalreporter.write_line(f"{passed.total():>9,} examples of {len(passed)} properties")
