"""What runs did, one JSON object a line, and the word to go on that they may wait for."""

import json
import os
import time
from pathlib import Path
from typing import Any

from asyncsched import current_run

PATIENCE = 60.0  # seconds


def folder() -> Path:
    """Return where all this stands."""
    return Path(os.environ["ERRANDS_FOLDER"])


def note(event: str, **more: Any) -> None:
    """Append what the current run did, in which process, and when by the clock that all of them share."""
    line = {"run": current_run().id, "event": event, "process": os.getpid(), "at": time.monotonic(), **more}
    with (folder() / "notes").open("a", encoding="utf-8") as notes:
        notes.write(json.dumps(line) + "\n")


def noted(run_id: str) -> list[dict[str, Any]]:
    """Return what the run noted, in order."""
    return [line for line in all_in(folder()) if line["run"] == run_id]


def all_in(folder: Path) -> list[dict[str, Any]]:
    """Return what all runs noted in *folder*, in order."""
    file = folder / "notes"
    complete, _, _ = file.read_text().rpartition("\n") if file.exists() else ("", "", "")
    return [json.loads(line) for line in complete.splitlines()]


def may_go_on(word: str = "") -> bool:
    """Return whether the current run may go on, or whoever waits for *word*."""
    return (folder() / f"{word or current_run().id}.go").exists()


def let_go_on(word: str) -> None:
    """Let the run whose id is *word* go on, or all that wait for it."""
    (folder() / f"{word}.go").touch()


def wait(word: str = "") -> None:
    """Wait until ``may_go_on``."""
    ends_at = time.monotonic() + PATIENCE
    while not may_go_on(word):
        if time.monotonic() > ends_at:
            raise TimeoutError("nobody gave the word")
        time.sleep(0.02)
