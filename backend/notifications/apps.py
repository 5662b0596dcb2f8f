from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from notifications import overdue  # noqa: F401, PLC0415 - connects its receivers, and needs the models
