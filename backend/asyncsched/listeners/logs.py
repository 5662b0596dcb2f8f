"""Runs in the log: an outage once when it begins, now and then while it lasts, once when it ends."""

import logging
import math
import time

from asyncsched.engine.outage import is_worth_saying
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import RunResult, RunStatus, Skipped, SkipReason, Stall

logger = logging.getLogger("asyncsched.runs")
stall_logger = logging.getLogger("asyncsched.stalls")

EXPECTED = frozenset(
    {SkipReason.PREDICATE, SkipReason.PAUSED, SkipReason.SUSPENDED, SkipReason.CLAIMED, SkipReason.NOT_LEADER}
)

MOST_LINES = 100
WORTH_SAYING = 0.1  # seconds of lateness


class LogListener(Listener):
    """Says what people must know, and no more: a task that fails every two seconds must not fill the disk."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._skips: dict[tuple[str, SkipReason], int] = {}
        self._minute = -math.inf
        self._lines = 0  # about skips, in this minute
        self._stalls: dict[tuple[str | None, str], int] = {}

    def run_finished(self, result: RunResult) -> None:
        is_fine = result.status is RunStatus.SUCCEEDED and result.task not in self._failures
        if is_fine and not logger.isEnabledFor(logging.DEBUG):
            return  # as a rule
        extra = {"action": f"run_{result.status}", "task": result.task, "run": result.claim.run_id}
        if result.status.is_failure:
            self._failed(result, extra)
        elif result.status is RunStatus.CANCELLED:
            logger.warning("%s: cut off after %.1f s", result.task, result.duration, extra=extra)
        elif result.status is RunStatus.SUCCEEDED:
            if failures := self._failures.pop(result.task, 0):
                logger.info("%s: succeeded again after %d failures", result.task, failures, extra=extra)
            logger.debug("%s: succeeded in %.3f s", result.task, result.duration, extra=extra)

    def occurrences_skipped(self, skipped: Skipped) -> None:
        key = (skipped.task, skipped.reason)
        count = self._skips[key] = self._skips.get(key, 0) + 1
        is_said = skipped.reason not in EXPECTED and is_worth_saying(count) and self._has_room()
        if not is_said and not logger.isEnabledFor(logging.DEBUG):
            return  # with very many tasks that are late, putting it into words would make them later still
        logger.log(
            logging.WARNING if is_said else logging.DEBUG,
            "%s: %d skipped (%s)%s",
            skipped.task,
            skipped.count,
            skipped.reason,
            f", up to {skipped.lateness:.1f} s late" if skipped.lateness >= WORTH_SAYING else "",
            extra={"action": "skipped", "task": skipped.task, "reason": skipped.reason},
        )

    def stalled(self, stall: Stall) -> None:
        key = (stall.task, stall.where)  # the address of a request is not part of it: there may be millions
        count = self._stalls[key] = self._stalls.get(key, 0) + 1
        stall_logger.log(
            logging.WARNING if is_worth_saying(count) else logging.DEBUG,
            "the event loop stood still for %.2f s%s: %s at %s\n%s",
            stall.seconds,
            f", the {count}. time there" if count > 1 else "",
            stall.culprit,
            stall.where,
            stall.stack,
            extra={"action": "stalled", "task": stall.task, "run": stall.run_id},
        )

    def _has_room(self) -> bool:
        """False if so much was said of skips in the last minute that it would fill the disk, or hold up the loop."""
        now = time.monotonic()
        if now - self._minute >= 60:
            self._minute, self._lines = now, 0
        self._lines += 1
        if self._lines == MOST_LINES:
            logger.warning(
                "more was skipped in this minute than is said here: see 'manage.py async_tasks history --skipped'",
                extra={"action": "skipped"},
            )
        return self._lines < MOST_LINES

    def _failed(self, result: RunResult, extra: dict[str, str]) -> None:
        count = self._failures[result.task] = self._failures.get(result.task, 0) + 1
        if count == 1:
            details = f"\n{result.traceback.rstrip()}" if result.traceback else ""
            logger.error("%s: %s: %s%s", result.task, result.status, result.error, details, extra=extra)
        elif is_worth_saying(count):
            logger.error("%s: %s, %d times in a row: %s", result.task, result.status, count, result.error, extra=extra)
