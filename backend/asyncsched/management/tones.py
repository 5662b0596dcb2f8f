"""The colour of a word: what is well, what is not, what waits for somebody. Every colour has its word beside it."""

import re
from enum import StrEnum


class Tone(StrEnum):
    """How a text is meant."""

    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    BUSY = "busy"
    QUIET = "quiet"


_WORDS = {
    Tone.GOOD: ("succeeded", "healthy", "leader"),
    Tone.BAD: ("failed", "timed", "dead", "overdue", "refused"),
    Tone.WARNING: ("cancelled", "abandoned", "suspended", "unserved", "paused"),
    Tone.BUSY: ("running", "began"),
    Tone.QUIET: ("skipped", "disabled", "parked", "never", "standby"),
}
_TONES = {word: tone for tone, words in _WORDS.items() for word in words}


def tone_of(text: str) -> Tone | None:
    """Return the tone of a status, or of a sentence that begins with one; None if it has none."""
    first = re.match("[a-z]+", text)
    return _TONES.get(first[0]) if first else None
