"""What the scheduler calls."""

from shop import log


def note(what: str) -> None:
    """Write down when it ran."""
    log.note(what)


class Stock:
    """What is there, counted."""

    @classmethod
    def count(cls) -> None:
        """Count what is there."""
        log.note("stock")

    def recount(self) -> None:
        """Count again."""
