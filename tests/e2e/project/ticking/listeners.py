"""A listener of the project's own."""

import logging

from asyncsched import Listener, RunResult, Stall

logger = logging.getLogger("ticking.listeners")


class Says(Listener):
    """Says in the log what it hears."""

    def run_finished(self, result: RunResult) -> None:
        logger.info("heard that %s has %s", result.task, result.status)

    def stalled(self, stall: Stall) -> None:
        logger.info("heard of a stall of %s", stall.culprit)
