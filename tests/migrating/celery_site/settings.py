"""A project whose schedules are in Celery beat: in rows, in beat_schedule, and added when the app is ready."""

import os

SECRET_KEY = "for tests only"
USE_TZ = True
TIME_ZONE = "UTC"
INSTALLED_APPS = ["django_celery_beat", "asyncsched", "shop"]
SWIFT = {"init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"}
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"], "OPTIONS": SWIFT}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_TIMEZONE = "Europe/Berlin"
CELERY_BROKER_URL = "memory://"
