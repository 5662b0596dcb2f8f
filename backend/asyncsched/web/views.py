"""Probes for machines, the live page, and its way to catch up."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from asyncsched.web import health
from asyncsched.web.access import page
from asyncsched.web.tasks import tasks_context, tasks_json
from asyncsched.web.timeline import timeline_context


@require_safe
@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process and its event loop are alive. It asks nobody, so that it can blame nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    """200 while this process schedules or was told not to, 503 otherwise."""
    found = health.readiness(getattr(request, "scope", {}))
    return JsonResponse(found, status=200 if found["ready"] else 503)


@page
def live(request: HttpRequest) -> HttpResponse:
    """Show the scheduler, its tasks and their timeline as of now; the script keeps them so."""
    return render(request, "asyncsched/live.html", tasks_context(request) | timeline_context())


@page
def tasks(request: HttpRequest) -> JsonResponse:
    """Every task with its next and last run, for the live page after a reconnect or a laptop's sleep."""
    return JsonResponse(tasks_json(request))
