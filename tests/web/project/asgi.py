"""As the documentation has it, and static files beside it."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
http = ASGIStaticFilesHandler(get_asgi_application())

from asyncsched.server import SchedulerLifespan
from asyncsched.web.origin import SameOrigin
from asyncsched.web.routing import websocket_urlpatterns
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

sockets = URLRouter([path("ws/", URLRouter(websocket_urlpatterns()))])
websocket = SameOrigin(AuthMiddlewareStack(sockets))
application = SchedulerLifespan(ProtocolTypeRouter({"http": http, "websocket": websocket}))
