"""The project's Celery, as its documentation says."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.handoff.project.settings")

app = Celery("handoff")
app.config_from_object("django.conf:settings", namespace="CELERY")
