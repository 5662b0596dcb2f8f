from django.apps import AppConfig
from django.core import checks


class HomeConfig(AppConfig):
    name = "home"

    def ready(self) -> None:
        from home.checks import check_home_assistant_settings, check_mqtt_settings  # noqa: PLC0415 - needs the apps

        checks.register(check_home_assistant_settings)
        checks.register(check_mqtt_settings)
