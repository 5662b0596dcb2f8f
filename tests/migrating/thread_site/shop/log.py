"""When what ran, for the test."""

from django.utils import timezone

seen: list[tuple[str, str]] = []


def note(what: str) -> None:
    """Note that *what* runs now."""
    seen.append((what, timezone.now().isoformat()))
