"""Lengths of time in words, for schedules and reports."""

UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def duration(seconds: float) -> str:
    """Say *seconds* briefly: ``2 s``, ``250 ms``, ``5 min``, ``1 h 30 min``."""
    if 0 < seconds < 1:
        return f"{number(seconds * 1000, decimals=3)} ms"
    if seconds < 60 or seconds % 1:
        return f"{number(seconds)} s"
    parts, rest = [], int(seconds)
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    if rest:
        parts.append(f"{rest} s")
    return " ".join(parts)


def number(value: float, *, decimals: int = 6) -> str:
    """Write *value* without exponent or closing zeros: ``0.2``, ``86400.5``, ``12``."""
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")


def counted(count: int, one: str, many: str = "") -> str:
    """Return ``1 run`` or ``2 runs``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
