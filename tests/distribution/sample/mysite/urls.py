"""The pages of the scheduler."""

from django.urls import include, path

urlpatterns = [path("", include("asyncsched.web.urls"))]
