"""One page that asks the database once, as most do; and what the tasks have noted."""

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from benchmarks.web.project import options


def page(request: HttpRequest) -> HttpResponse:
    """Answer after one query."""
    return HttpResponse(f"hello, {ContentType.objects.get(pk=1).app_label}")


async def taken(request: HttpRequest) -> HttpResponse:
    """Answer what the tasks have noted since the last such request."""
    from benchmarks.web.project.ticking.tasks import starts  # noqa: PLC0415 - without the scheduler there are no tasks

    return JsonResponse(starts.taken())


urlpatterns = [path("", page), path("admin/", admin.site.urls)]
if options.IS_INSTALLED:
    urlpatterns.append(path("starts", taken))
