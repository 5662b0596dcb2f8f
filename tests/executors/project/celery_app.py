"""The project's Celery app: ``celery --app celery_app worker``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

app = Celery("errands")
app.config_from_object("django.conf:settings", namespace="CELERY")
