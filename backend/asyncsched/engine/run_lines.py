"""The latest lines that one run has written to the log, bounded."""

import itertools

MOST_CHARACTERS = 20_000  # of all lines of a run


class RunLog:
    """The latest lines of one run. Any thread may write, and none ever waits: lists are changed in single steps."""

    __slots__ = ("_lines", "_written")

    def __init__(self) -> None:
        self._lines: list[str] | None = []
        self._written = itertools.count()

    def add(self, line: str, most: int) -> None:
        """Take *line* in, unless the run is over; of more than *most* lines the oldest go."""
        lines = self._lines
        if lines is None:
            return
        next(self._written)
        lines.append(line)
        del lines[:-most]

    def take(self) -> str | None:
        """Return the lines, after one that says how many are left out; None if there were none. Called once."""
        lines, self._lines = self._lines, None
        if not lines:
            return None
        kept: list[str] = []
        room = MOST_CHARACTERS
        for line in reversed(list(lines)):
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        if left_out := next(self._written) - len(kept):
            kept.append(f"({left_out:,} earlier {'line is' if left_out == 1 else 'lines are'} left out)")
        return "\n".join(reversed(kept))
