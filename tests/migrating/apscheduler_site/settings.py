"""A project whose schedules are jobs of APScheduler, in the table of django-apscheduler."""

import os

SECRET_KEY = "for tests only"
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
INSTALLED_APPS = ["django_apscheduler", "asyncsched"]
SWIFT = {"init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"}
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"], "OPTIONS": SWIFT}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
