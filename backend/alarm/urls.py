"""Addresses of the alarm system's pages."""

from django.urls import path

from alarm import views

app_name = "alarm"
urlpatterns = [path("", views.live, name="live"), path("favicon.ico", views.favicon)]
