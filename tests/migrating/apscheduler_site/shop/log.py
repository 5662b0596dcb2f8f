"""What ran when."""

from datetime import UTC, datetime

seen: list[tuple[str, str]] = []


def note(what: str) -> None:
    seen.append((what, datetime.now(UTC).isoformat()))
