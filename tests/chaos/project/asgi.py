"""The project's door. Its clock is set wrong first, so that nothing ever reads the right one."""

import os

import skew

skew.apply(float(os.environ.get("CHAOS_SKEW", "0")))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from asyncsched.server import SchedulerLifespan

application = SchedulerLifespan(http)
