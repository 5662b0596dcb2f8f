"""The page of the web benchmarks, what its tasks have noted, and how the latest run ended that computed."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from asyncsched.models import TaskRun
from benchmarks.web.project.urls import urlpatterns as of_the_web


async def computed(request: HttpRequest) -> JsonResponse:
    """Answer how the latest run ended that computed, and in how many seconds; a status of None if there is none."""
    run = await TaskRun.objects.filter(task="compute").order_by("-scheduled_for").afirst()
    if run is None:
        return JsonResponse({"status": None})
    due = run.scheduled_for.timestamp()
    return JsonResponse({"status": run.status, "due": due, "seconds": run.duration, "error": run.error})


urlpatterns = [*of_the_web, path("computed", computed)]
