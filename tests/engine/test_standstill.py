"""A process that is stopped as a whole: nobody blocked its loop. A real process, stopped by signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.servers import ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc"),
]

SCRIPT = Path(__file__).with_name("stopped_process.py")
LONG = 1.5  # seconds: three thresholds of the process
SHORT = 0.2


def culprits_of_one_that_is(*, stopped: bool) -> list[str]:
    """Block the loop of the process for LONG and SHORT, in the former perhaps stopped; return whom it blames."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "backend")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process:
        assert process.stdout.readline() == "blocked\n"
        if stopped:
            process.send_signal(signal.SIGSTOP)
        time.sleep(LONG)  # this and the next are the times for which it does not go on
        if stopped:
            process.send_signal(signal.SIGCONT)
        time.sleep(SHORT)
        first, *culprits = process.communicate("\n", timeout=30)[0].splitlines()
    assert first == "told:"
    return culprits


def test_one_that_is_blocked_says_who_it_is() -> None:
    assert culprits_of_one_that_is(stopped=False) == ["asyncio task 'Task-1' (main)"]


def test_one_that_is_stopped_blames_nobody() -> None:
    assert culprits_of_one_that_is(stopped=True) == []
