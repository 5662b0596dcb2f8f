"""Runs by any backend of Django's tasks: ``register(..., executor="tasks")``.

Each run is one task ``run_order``, enqueued as any other; Django's workers find it by its path. They know
no expiry and nothing that ends a task: one that is enqueued for a run that was withdrawn does nothing, and
a plain function that is over its time is asked to stop.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import django
from django.conf import global_settings, settings
from django.core.exceptions import ImproperlyConfigured

from asyncsched.errors import ConfigurationError
from asyncsched.executors.configured import Setup
from asyncsched.executors.handed_off import HandedOffExecutor
from asyncsched.executors.order import Order
from asyncsched.executors.worker import work

if TYPE_CHECKING or django.VERSION >= (6, 0):
    from django.tasks import task, task_backends
    from django.tasks.exceptions import InvalidTask
else:
    try:
        from django_tasks import task, task_backends
        from django_tasks.exceptions import InvalidTaskError as InvalidTask
    except ModuleNotFoundError as missing:
        raise ImportError("needs Django 6.0, or below it: pip install 'asyncsched[tasks]'") from missing

DEFAULT = "default"


class DjangoTasksExecutor(HandedOffExecutor):
    """Enqueues runs as Django's tasks.

    ``OPTIONS``: ``backend``, its alias in ``settings.TASKS``; ``queue_name``; ``priority``; ``beat``, see
    ``handed_off``.
    """

    options: ClassVar[frozenset[str]] = frozenset({"backend", "queue_name", "priority"})

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if getattr(settings, "TASKS", None) is getattr(global_settings, "TASKS", None):
            raise ConfigurationError("needs settings.TASKS: without it Django runs tasks where they are enqueued")
        chosen = {name: value for name, value in setup.options.items() if name in self.options}
        try:
            self._task = run_order.using(**{"backend": DEFAULT, "queue_name": DEFAULT} | chosen)
        except (InvalidTask, ImproperlyConfigured) as error:
            raise ConfigurationError(f"does not suit settings.TASKS: {error}") from error

    def send(self, order: Order, *, expires_at: datetime | None) -> None:
        self._task.enqueue(told=order.to_dict(), beat=self.beat)


def _any_place() -> tuple[str, str]:
    """Return the alias of a backend and a queue of it: a task must name such, though what is sent names its own."""
    alias = DEFAULT if DEFAULT in task_backends.settings else min(task_backends.settings)
    queues = task_backends[alias].queues
    return alias, DEFAULT if DEFAULT in queues or not queues else min(queues)


BACKEND, QUEUE = _any_place()


@task(backend=BACKEND, queue_name=QUEUE)
def run_order(told: Mapping[str, Any], beat: float) -> None:
    """Carry out what ``DjangoTasksExecutor`` has sent."""
    work(Order.from_dict(told), beat=beat)
