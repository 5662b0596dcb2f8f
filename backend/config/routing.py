"""WebSocket addresses: a same-origin handshake and a session stand before each of them."""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path, re_path

from alarm.consumers import status_socket
from asyncsched.web.origin import SameOrigin, refuse
from asyncsched.web.routing import websocket_urlpatterns

websocket = SameOrigin(
    AuthMiddlewareStack(
        URLRouter(
            [
                path("ws/status/", status_socket()),  # type: ignore[arg-type] # URLRouter takes applications
                path("ws/", URLRouter(websocket_urlpatterns())),
                re_path("", refuse),  # type: ignore[arg-type]
            ]
        )
    )
)
