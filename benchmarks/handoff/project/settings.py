"""The settings of the web benchmarks, with the app of the task that computes and the broker that it may need."""

from benchmarks.handoff.project.options import BROKER
from benchmarks.web.project.settings import *  # noqa: F403 - settings inherit by this

INSTALLED_APPS += ["benchmarks.handoff.project.computing"]  # noqa: F405
ROOT_URLCONF = "benchmarks.handoff.project.urls"
ASGI_APPLICATION = "benchmarks.handoff.project.asgi.application"
CELERY_BROKER_URL = BROKER
ASYNCSCHED = {
    "EXECUTORS": {  # type: ignore[dict-item]
        "celery": {"OPTIONS": {"app": "benchmarks.handoff.project.celery_app.app"}}
    }
}
