"""Runs on Celery's workers: ``register(..., executor="celery")``.

Each run is one message for the task ``asyncsched.run``, whose id is the run's. Every worker of a
project that has such tasks knows it, because its ``tasks.py`` are discovered there as everywhere.

The message is acknowledged late. A worker that is lost before it has picked the run up loses
nothing: the broker hands the message to another one. If it is lost later, or the broker hands the
message out twice, as Redis does after its visibility timeout, the pick-up is refused, so that no run
is ever begun twice. Therefore a lost worker process does not put the message back either: Celery
then knows why the run ended, and so do we.
"""

import signal
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.utils.module_loading import import_string

from asyncsched.engine.runner import describe
from asyncsched.engine.runs import Outcome, RunStatus
from asyncsched.errors import ConfigurationError
from asyncsched.executors.configured import Setup
from asyncsched.executors.handed_off import HandedOffExecutor
from asyncsched.executors.order import Order, over_time
from asyncsched.executors.worker import work

try:
    from celery import Celery, current_app, shared_task, states
    from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded
except ModuleNotFoundError as missing:
    raise ImportError("needs Celery: pip install 'asyncsched[celery]'") from missing

NAME = "asyncsched.run"
LAST_RESORT = 30.0
"""Seconds from when Celery asks a run that is over its time to end, until it kills the process."""
STOPPED = frozenset(number - 256 for number in signal.Signals)
"""With these codes a process of Celery's pool exits when it is told to by a signal, out of the function's middle."""


class CeleryExecutor(HandedOffExecutor):
    """Sends runs to Celery.

    ``OPTIONS``: ``app``, the dotted path of the Celery app, by default the project's; ``queue``, by
    default the one to which the app routes the task ``asyncsched.run``; ``beat``, see ``handed_off``.
    """

    options: ClassVar[frozenset[str]] = frozenset({"app", "queue"})

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._app = _app(setup.options.get("app"))
        queue = setup.options.get("queue")
        if queue is not None and not isinstance(queue, str):
            raise ConfigurationError(f"OPTIONS['queue'] must be the name of a queue, but is {queue!r}")
        self._route = {} if queue is None else {"queue": queue}

    def send(self, order: Order, *, expires_at: datetime | None) -> None:
        limits = {"soft_time_limit": order.timeout, "time_limit": order.timeout + LAST_RESORT} if order.timeout else {}
        self._app.tasks[NAME].apply_async(
            kwargs={"told": order.to_dict(), "beat": self.beat},
            task_id=order.run_id,
            shadow=order.task,  # so it is called in the worker's log, and by monitors
            expires=expires_at,
            retry=False,  # that is done here
            **limits,
            **self._route,
        )

    def revoke(self, order: Order) -> None:
        self._app.control.revoke(order.run_id, terminate=True)

    def verdict(self, run_id: str) -> Outcome | None:
        meta = self._app.backend.get_task_meta(run_id, cache=False)
        if meta["status"] not in (states.FAILURE, states.REVOKED):
            return None
        error = meta["result"]
        status = RunStatus.TIMED_OUT if isinstance(error, TimeLimitExceeded) else RunStatus.ABANDONED
        return Outcome(status=status, error=f"ended by Celery: {describe(error)}")


def _app(path: object) -> Celery:
    """Return the Celery app that *path* names, or the project's; raise ConfigurationError if there is none."""
    if path is None:
        app = current_app._get_current_object()  # noqa: SLF001 - it is another in other threads
        if not app.set_as_current and app.main == "default":  # Celery's own, which knows no broker
            raise ConfigurationError(
                "finds no Celery app: import it in the package of the settings, as Celery's guide for Django says, "
                "or name it: OPTIONS={'app': 'config.celery.app'}"
            )
        return app
    app = import_string(path) if isinstance(path, str) else path
    if not isinstance(app, Celery):
        raise ConfigurationError(f"OPTIONS['app'] must be the dotted path of a Celery app, but is {path!r}")
    return app


@shared_task(  # type: ignore[untyped-decorator]
    bind=True,
    name=NAME,
    acks_late=True,
    reject_on_worker_lost=False,
    ignore_result=True,
    store_errors_even_if_ignored=True,
)
def run_order(self: Any, told: Mapping[str, Any], beat: float) -> None:
    """Carry out what ``CeleryExecutor`` has sent."""
    order = Order.from_dict(told)
    stopped_by: list[BaseException] = []

    def meaning(error: BaseException) -> Outcome | None:
        if isinstance(error, SoftTimeLimitExceeded):
            return over_time(order)
        if isinstance(error, SystemExit) and error.code in STOPPED:
            stopped_by.append(error)
            return Outcome(status=RunStatus.CANCELLED, error="cut off before it had finished: its worker was stopped")
        return None

    work(order, beat=beat, host=self.request.hostname or "", meaning=meaning)
    if stopped_by:
        raise stopped_by[0]  # the process is to end
