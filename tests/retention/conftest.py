from datetime import UTC, datetime

import pytest

from asyncsched.engine.context import Entered, Run
from asyncsched.engine.runs import Claim, Occurrence


class WatchedRun(Run):
    """Hands each report of progress on to *listener*."""

    def __init__(self, listener):
        occurrence = Occurrence(task="clean_up", scheduled_for=datetime(2026, 11, 23, 3, 0, tzinfo=UTC))
        super().__init__(Claim(occurrence=occurrence, run_id="1"))
        self.listener = listener

    def progress(self, done, total=None):
        super().progress(done, total)
        self.listener(self)


@pytest.fixture
def inside_a_run():
    """Returns a function that calls another inside of a run: ``inside_a_run(function, on_progress)``."""

    def call(function, on_progress):
        with Entered(WatchedRun(on_progress)):
            return function()

    return call
