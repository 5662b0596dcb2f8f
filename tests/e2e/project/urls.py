"""Pages: one that answers, one that says how the scheduler fares, one that never answers, one that blocks."""

import asyncio
import logging
import time
from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

logger = logging.getLogger("pages")


async def hello(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return HttpResponse("hello")


async def state(request: HttpRequest) -> HttpResponse:
    """Say how the scheduler of the process that answers fares."""
    host = request.scope["asyncsched"]
    supervisor = host.supervisor
    return JsonResponse(
        {
            "state": host.state,
            "health": asdict(supervisor.health()) if supervisor else None,
            "quarantined": supervisor.quarantined if supervisor else (),
        }
    )


async def never(request: HttpRequest) -> HttpResponse:
    """Keep the client waiting."""
    logger.info("a client waits")
    await asyncio.Event().wait()
    return HttpResponse("at last")


async def slow(request: HttpRequest) -> HttpResponse:
    """Keep everybody waiting."""
    time.sleep(0.6)  # noqa: ASYNC251 - what a view must not do
    return HttpResponse("at last")


urlpatterns = [
    path("", hello),
    path("state", state),
    path("never", never),
    path("slow", slow),
    path("", include("asyncsched.web.urls")),
]
