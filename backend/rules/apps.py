from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "rules"

    def ready(self) -> None:
        from rules import receivers  # noqa: PLC0415 - it needs the models

        receivers.connect()
