"""What goes wrong again and again is not said each time: the log must not fill the disk."""

import logging


def is_worth_saying(count: int) -> bool:
    """True for the 1st, 2nd, 4th, 8th ... time."""
    return count & (count - 1) == 0


class Outage:
    """Something we depend on, such as a database, is away: logs the first failure in a row, and the recovery."""

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
