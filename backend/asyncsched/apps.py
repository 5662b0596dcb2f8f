"""Django finds the app here; ``tasks.py`` of every installed app is discovered."""

import traceback
from pathlib import Path

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.module_loading import autodiscover_modules

from asyncsched import checks
from asyncsched.errors import ScheduleError
from asyncsched.executors import configured
from asyncsched.registry import registry

PACKAGE = Path(__file__).parent


class AsyncschedConfig(AppConfig):
    name = "asyncsched"
    verbose_name = "Scheduler"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(checks.check_settings)
        register(checks.check_executors)
        register(checks.check_pooler, Tags.database)
        try:
            autodiscover_modules("tasks")
        except ScheduleError as error:
            # A schedule is built before @register sees it, so it cannot know where it stands.
            raise ScheduleError(f"{_place(error)}: {error}") from error
        configured.load(registry)


def _place(error: Exception) -> str:
    """Return the file and line, outside of this package, from which *error* was provoked."""
    frames = traceback.extract_tb(error.__traceback__)
    outside = (frame for frame in reversed(frames) if not _is_ours(frame.filename))
    return next((f"{frame.filename}:{frame.lineno}" for frame in outside), "tasks.py")


def _is_ours(filename: str) -> bool:
    return filename.startswith("<") or PACKAGE in Path(filename).parents  # dataclasses compile "<string>"
