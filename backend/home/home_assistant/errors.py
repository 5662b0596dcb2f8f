"""What can go wrong between us and Home Assistant."""


class HomeAssistantError(Exception):
    """Home Assistant did not do what it was asked. The message is fit for people and free of secrets.

    *permanent* is True if trying again cannot help until somebody changes something: the token, the
    address, or the request itself.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
