"""System checks: what ``manage.py check`` and every start say about the scheduler's set-up.

asyncsched.E001  settings.ASYNCSCHED has an unknown key or a bad value
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error

from asyncsched import conf


def check_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Name every unknown key and bad value in settings.ASYNCSCHED."""
    return [
        Error(f"settings.ASYNCSCHED[{key!r}] {reason}", hint="See docs/reference/settings.md.", id="asyncsched.E001")
        for key, reason in conf.problems()
    ]
