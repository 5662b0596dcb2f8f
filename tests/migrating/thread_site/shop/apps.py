"""The app of the shop."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self) -> None:
        import shop.jobs  # noqa: F401 - registers tasks
