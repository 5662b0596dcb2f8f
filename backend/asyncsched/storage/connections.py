"""Django's database connections around a run: fresh before, closed after, whatever thread it is in."""

from collections.abc import Iterator
from contextlib import contextmanager

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import connections


@contextmanager
def thread_connections() -> Iterator[None]:
    """Close this thread's connections at both ends, so that a run never meets a stale one or leaves one open."""
    connections.close_all()
    try:
        yield
    finally:
        connections.close_all()


class TaskConnections:
    """Give an async run its own thread for Django's async ORM, and close what it opened there.

    Without it, every async task and many a request would queue for asgiref's one shared thread.
    The thread is only started if the run uses it.
    """

    __slots__ = ("_context", "_token")

    def __enter__(self) -> None:
        self._context = ThreadSensitiveContext()
        self._token = SyncToAsync.thread_sensitive_context.set(self._context)

    def __exit__(self, *raised: object) -> None:
        SyncToAsync.thread_sensitive_context.reset(self._token)
        # Not awaited: the thread may hang in the very call that the run's timeout has just cut off.
        if executor := SyncToAsync.context_to_thread_executor.pop(self._context, None):
            executor.submit(connections.close_all)
            executor.shutdown(wait=False)
