"""Something we depend on is away: that is said once when it begins and once when it ends."""

import logging


class Outage:
    """Counts the failures in a row of one thing, such as a database, and logs the first and the recovery."""

    def __init__(self, logger: logging.Logger, *, began: str, ended: str) -> None:
        self.failures = 0
        """How often it has failed since it last worked."""
        self._logger = logger
        self._actions = {"began": began, "ended": ended}

    def failed(self, message: str, *arguments: object, exc_info: BaseException | None = None) -> None:
        """It failed; *message* is an error the first time."""
        self.failures += 1
        if self.failures == 1:
            self._logger.error(message, *arguments, exc_info=exc_info, extra={"action": self._actions["began"]})

    def worked(self, message: str, *arguments: object) -> None:
        """It worked; *message* is said if it had failed."""
        if self.failures:
            self._logger.info(message, *arguments, extra={"action": self._actions["ended"]})
        self.failures = 0
