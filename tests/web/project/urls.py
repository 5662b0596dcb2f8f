"""Django's admin, for its form to sign in by, and the scheduler's pages."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), path("", include("asyncsched.web.urls"))]
