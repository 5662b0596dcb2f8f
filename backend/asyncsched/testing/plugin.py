"""What pytest loads: the fixture ``scheduler``."""

from collections.abc import Iterator

import pytest

from asyncsched.testing.scheduler import VirtualScheduler


@pytest.fixture
def scheduler() -> Iterator[VirtualScheduler]:
    """A scheduler that runs registered tasks in virtual time."""
    with VirtualScheduler() as virtual:
        yield virtual
