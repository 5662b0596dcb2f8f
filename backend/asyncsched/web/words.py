"""Runs in words, as the pages say them. static/asyncsched/words.js says the same where a script writes."""

from asyncsched.engine.runs import RunStatus, Trigger
from asyncsched.schedules.words import UNITS, duration

STATUSES: dict[str, str] = {RunStatus.TIMED_OUT: "timed out", RunStatus.CANCELLED: "cut off"}
TRIGGERS: dict[str, str] = {
    Trigger.SCHEDULE: "by its schedule",
    Trigger.CATCH_UP: "to catch up on what was missed",
    Trigger.MANUAL: "by hand",
}


def status_word(status: str) -> str:
    """Return how people call *status*; most are plain words already."""
    return STATUSES.get(status, status)


def trigger_words(trigger: str) -> str:
    """Return why a run took place; what a newer version has written stays as it is."""
    return TRIGGERS.get(trigger, trigger)


def took(seconds: float) -> str:
    """Return a measured length of time, to be read at a glance: ``12 ms``, ``1.3 s``, ``2 min``, ``1 h 5 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    size, _ = next(unit for unit in UNITS if seconds >= unit[0] - 0.5)
    # The two largest units: of hours nobody wants to read the seconds.
    finer = next((below for below, _ in UNITS if below < size), 1)
    return duration(round(seconds / finer) * finer)
