"""The project under a server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from asyncsched.server import SchedulerLifespan

application = SchedulerLifespan(http)
