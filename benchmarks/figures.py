"""Figures as people read them."""

UNITS = {"us": "µs", "per_s": "per s", "percent": "%", "ms": "ms", "mb": "MB", "kb": "kB", "bytes": "bytes", "s": "s"}

SHORT = {"cpu", "db", "http", "rss", "sigkill", "sigterm"}  # in capitals


def number(value: float) -> str:
    """Return *value* to three digits, thousands set apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else "0"


def title(metric: str) -> str:
    """Return the heading for a metric: ``cpu_per_run_us`` is "CPU per run, µs"."""
    name, suffix = _split(metric)
    words = " ".join(word.upper() if word in SHORT else word for word in name.split("_"))
    if suffix == "per_s":
        return f"{words} per s"
    return f"{words}, {UNITS[suffix]}" if suffix else words


def unit(metric: str) -> str:
    """Return the unit of a metric, by the end of its name; the name itself if it counts something."""
    _name, suffix = _split(metric)
    return UNITS[suffix] if suffix and suffix != "per_s" else metric.replace("_", " ")


def _split(metric: str) -> tuple[str, str]:
    for suffix in UNITS:
        if metric.endswith("_" + suffix):
            return metric.removesuffix("_" + suffix), suffix
    return metric, ""
