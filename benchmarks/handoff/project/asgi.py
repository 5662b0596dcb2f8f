"""The door of the project."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.handoff.project.settings")

from django.core.asgi import get_asgi_application

from asyncsched.server import SchedulerLifespan

application = SchedulerLifespan(get_asgi_application())
