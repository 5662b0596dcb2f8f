"""The door: Django, WebSockets, and one line that starts the scheduler with the server."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "backend"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()  # sets up Django; what follows needs its apps

from asyncsched.server import SchedulerLifespan
from channels.routing import ProtocolTypeRouter
from config.routing import websocket

application = SchedulerLifespan(ProtocolTypeRouter({"http": http, "websocket": websocket}))
