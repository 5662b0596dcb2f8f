"""No page of its own, only those of the scheduler."""

from django.urls import include, path

urlpatterns = [path("", include("asyncsched.web.urls"))]
