"""Runs as messages for the live page, through the Channels layer, if the project has one."""

import asyncio
import importlib.util
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.context import Run
from asyncsched.engine.outage import Outage
from asyncsched.engine.ports import Listener
from asyncsched.engine.runner import describe
from asyncsched.engine.runs import Claim, RunResult

logger = logging.getLogger("asyncsched.listeners")

GROUP = "asyncsched.runs"
MOST_WAITING = 1_000


class ChannelsListener(Listener):
    """Sends what happens in the process *replica* to the group GROUP, in order.

    Messages of the types ``run`` and ``progress`` carry all there is to know; ``resync`` says that
    something else has changed, to be asked for. If the layer is slow the oldest are dropped.
    """

    def __init__(self, replica: str = "") -> None:
        self._replica = replica
        self._waiting: deque[Callable[[], dict[str, Any]]] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._outage = Outage(logger, began="layer_away", ended="layer_back")

    @staticmethod
    def is_wanted() -> bool:
        """True if Channels is installed and a layer is configured."""
        if importlib.util.find_spec("channels") is None:
            return False
        from channels.layers import get_channel_layer  # noqa: PLC0415 - an optional extra

        return get_channel_layer() is not None

    async def pump(self) -> None:
        """Send what is waiting, for ever: a service. What the layer does not take is dropped."""
        from channels.layers import get_channel_layer  # noqa: PLC0415 - an optional extra

        layer = get_channel_layer()
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                with Boundary() as boundary:
                    await layer.group_send(GROUP, {"type": "run.message", "run": self._waiting.popleft()()})
                if boundary.error:
                    self._outage.failed("the channel layer takes no messages: %s", describe(boundary.error))
                else:
                    self._outage.worked("the channel layer takes messages again")

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self._send(partial(self._started, claim, started_at))

    def run_progressed(self, run: Run) -> None:
        done, total = run.done_of_total
        message = {"type": "progress", "id": run.id, "task": run.task, "done": done, "total": total}
        self._send(lambda: message)

    def requests_changed(self) -> None:
        self._send(lambda: {"type": "resync"})

    def run_finished(self, result: RunResult) -> None:
        self._send(partial(self._finished, result))

    def _started(self, claim: Claim, started_at: datetime) -> dict[str, Any]:
        return self._run(claim, status="running", started_at=started_at.isoformat())

    def _finished(self, result: RunResult) -> dict[str, Any]:
        return self._run(
            result.claim,
            status=result.status.value,
            started_at=result.started_at.isoformat(),
            finished_at=result.finished_at.isoformat(),
            duration_s=result.duration,
            lateness_s=result.lateness,
            error=result.error,
            consecutive_failures=result.failures,
        )

    def _run(self, claim: Claim, **facts: Any) -> dict[str, Any]:
        occurrence = claim.occurrence
        return {
            "type": "run",
            "id": claim.run_id,
            "task": occurrence.task,
            "scheduled_for": occurrence.scheduled_for.isoformat(),
            "trigger": occurrence.trigger.value,
            "attempt": occurrence.attempt,
            "replica": self._replica,
            **facts,
        }

    def _send(self, message: Callable[[], dict[str, Any]]) -> None:
        """Have *message* sent. It is put into words only then: where there are very many, most are dropped before."""
        self._waiting.append(message)
        self._news.set()


def warn_of_deaf_layer() -> None:
    """Warn, where several processes run, of a channel layer that does not reach from one to the other."""
    if not ChannelsListener.is_wanted():
        return
    from channels.layers import InMemoryChannelLayer, get_channel_layer  # noqa: PLC0415 - an optional extra

    if isinstance(get_channel_layer(), InMemoryChannelLayer):
        logger.warning(
            "several processes run, but the channel layer is in memory: pages that are connected to another process "
            "than the leader get none of its pushes; configure a layer that reaches all, such as channels_redis",
            extra={"action": "deaf_layer"},
        )
