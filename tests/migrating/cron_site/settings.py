"""A project with django-cron, or after it: the application of the scheduler it has is in the environment."""

import os

SECRET_KEY = "for tests only"
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
INSTALLED_APPS = [os.environ["SCHEDULER"]]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CRON_CLASSES = [
    f"shop.cron.{name}"
    for name in (
        "ClearCarts",
        "WorkingHours",
        "Report",
        "Uneven",
        "Nightly",
        "JumpedOver",
        "Late",
        "DaysOfTheMonth",
        "FirstMonday",
        "SomeFridays",
        "Mixed",
        "Flaky",
    )
]
