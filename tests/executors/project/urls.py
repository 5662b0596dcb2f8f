"""What there is to ask the server for."""

from django.urls import include, path

urlpatterns = [path("", include("asyncsched.web.urls"))]
