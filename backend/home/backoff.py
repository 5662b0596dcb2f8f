"""How long to wait before the next try."""

import random


def delay(failures: int, *, first: float, most: float) -> float:
    """Return the seconds to wait after *failures* (from 1) in a row: doubling from *first* to at most *most*.

    Between half and the whole of it by chance, so that the clients of one server do not all come
    back in the same instant.
    """
    whole: float = min(most, first * 2.0 ** min(failures - 1, 30))
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains by guessing it
