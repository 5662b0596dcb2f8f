"""Django finds the app here; ``tasks.py`` of every installed app is discovered."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.module_loading import autodiscover_modules

from asyncsched import checks


class AsyncschedConfig(AppConfig):
    name = "asyncsched"
    verbose_name = "Scheduler"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(checks.check_settings)
        autodiscover_modules("tasks")
