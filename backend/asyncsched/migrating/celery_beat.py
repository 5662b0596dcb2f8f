"""Celery beat: the rows of django-celery-beat, and ``beat_schedule`` of the app.

*where* names the app as ``celery -A`` does, ``mysite.celery`` or ``mysite.celery:app``; without it,
it is looked for in the package of the settings, and where there is none, an app is made of the
``CELERY_…`` settings. Its modules of tasks are imported and it is finalized, so that entries of
``add_periodic_task`` are there as well. Rows are read if ``django_celery_beat`` is in
``INSTALLED_APPS``; a row takes the place of the entry of the same name, as it does in beat.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that beat sends, a row or not. *options* are those of ``apply_async``; moments are aware."""

    name: str
    source: str
    task: str
    schedule: Any
    zone: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    enabled: bool = True
    one_off: bool = False
    last_run_at: datetime | None = None
    starts: datetime | None = None
    ends: datetime | None = None
