"""Addresses of the alarm system's pages and of its API."""

from django.urls import path

from alarm import api, views

app_name = "alarm"
urlpatterns = [
    path("", views.live, name="live"),
    path("favicon.ico", views.favicon),
    path("tasks.json", views.tasks),
    path("alarm/", views.operate_by_form, name="operate"),
    path("api/alarm/", api.state, name="state"),
    path("api/alarm/arm", api.arm, name="arm"),
    path("api/alarm/disarm", api.disarm, name="disarm"),
    path("api/alarm/trigger", api.trigger, name="trigger"),
    path("api/alarm/events", api.events, name="events"),
    path("api/house/lately", api.house_lately, name="lately"),
]
