"""How many rows a transaction takes, and how long the database is left alone after it."""

TARGET_SECONDS = 0.05
"""A transaction that took longer makes the next ones smaller; half of it, and the next may be larger."""
BREATH_SECONDS = 0.005
"""The shortest rest."""
FIRST_BATCH = 500  # what has long not been touched must first be read from the disk
SMALLEST_BATCH = 10


class Pace:
    """Learns from how long each transaction took.

    *largest* is the most rows one may take. *one_writer* says that the database lets nobody write
    meanwhile, and that who waits only asks now and then whether it may: SQLite. There each rest is
    as long as the transaction was, so that whoever waits finds the lock free at every other look.
    Other databases lock the rows alone.
    """

    def __init__(self, largest: int, *, one_writer: bool) -> None:
        self.size = min(FIRST_BATCH, largest)
        self._largest = largest
        self._one_writer = one_writer

    def after(self, seconds: float) -> float:
        """Note that *size* rows took so long; return for how many seconds to rest."""
        if seconds > TARGET_SECONDS:
            self.size = max(min(SMALLEST_BATCH, self._largest), self.size // 2)
        elif seconds < TARGET_SECONDS / 2:
            self.size = min(self._largest, self.size * 2)
        return max(BREATH_SECONDS, seconds) if self._one_writer else 0.0
