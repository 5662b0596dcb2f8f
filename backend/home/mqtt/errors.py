"""What can go wrong between us and the MQTT broker."""


class BrokerError(Exception):
    """The broker cannot be used. The message is fit for people and free of secrets.

    *permanent* is True if trying again cannot help until somebody changes the settings.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
