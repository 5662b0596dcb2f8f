"""The project, served."""

from django.core.asgi import get_asgi_application

from asyncsched.server import SchedulerLifespan

application = SchedulerLifespan(get_asgi_application())
