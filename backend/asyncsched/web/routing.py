"""WebSocket addresses of the scheduler, to be mounted in the project's ``URLRouter``."""

from django.urls import URLPattern, path

from asyncsched.web.sockets import runs_socket


def websocket_urlpatterns() -> list[URLPattern]:
    """Return ``runs/``, with a relay of its own: call it once."""
    return [path("runs/", runs_socket())]  # type: ignore[arg-type] # an ASGI application, as URLRouter wants it
