"""Every way to wrap an application, and what may be wrapped around it in turn."""

from asgiref.typing import ASGI3Application
from asyncsched.server import SchedulerLifespan
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

from asyncsched.web.routing import websocket_urlpatterns

plain = SchedulerLifespan(get_asgi_application())
routed = SchedulerLifespan(
    ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter(websocket_urlpatterns())})
)


def outermost(wrapped: ASGI3Application) -> ASGI3Application:
    """Stand for a middleware of somebody else, typed as asgiref types it."""
    return SchedulerLifespan(wrapped)


application = outermost(plain)
