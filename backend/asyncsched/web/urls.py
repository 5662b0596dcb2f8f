"""HTTP addresses of the scheduler, to be included at the root of the project."""

from django.urls import path

from asyncsched.web import actions, metrics, pages, timeline, views

app_name = "asyncsched"
urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("tasks.json", views.tasks, name="tasks"),
    path("tasks/", views.live, name="live"),
    path("tasks/timeline", timeline.timeline, name="timeline"),
    path("tasks/<path:name>/", pages.task, name="task"),
    path("runs/<uuid:run_id>/", pages.run, name="run"),
    path("tasks/<path:name>/<str:verb>", actions.act, name="act"),
]
