from django.apps import AppConfig
from django.core import checks


class HomeConfig(AppConfig):
    name = "home"

    def ready(self) -> None:
        from home import checks as our  # noqa: PLC0415 - needs the apps

        for check in (our.check_home_assistant_settings, our.check_mqtt_settings, our.check_zwave_js_settings):
            checks.register(check)
