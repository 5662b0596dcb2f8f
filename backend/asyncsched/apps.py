"""Django finds the app here; ``tasks.py`` of every installed app is discovered."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AsyncschedConfig(AppConfig):
    name = "asyncsched"
    verbose_name = "Scheduler"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("tasks")
