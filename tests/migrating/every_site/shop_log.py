"""When what ran, in the shop of each project."""

from django.utils import timezone

seen: list[tuple[str, str]] = []


def note(what: str) -> None:
    """Note that *what* runs now."""
    seen.append((what, timezone.now().isoformat()))
