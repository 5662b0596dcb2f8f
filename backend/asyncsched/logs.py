"""Which task and which run a log record belongs to, for logging configurations of any project.

::

    "filters": {"task": {"()": "asyncsched.logs.TaskContext"}},
    "formatters": {"text": {"class": "asyncsched.logs.TextFormatter", "format": "%(asctime)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["task"], "formatter": "text"}},
"""

import copy
import logging
from contextvars import copy_context

from asyncsched.engine.context import run_in


class TaskContext(logging.Filter):
    """A filter for handlers that lets everything through and gives each record a ``task`` and a ``run``.

    They are the name of the task and the id of the run, as history shows it, that the record was
    written by, also in what the run started, if that was given its context. The scheduler's own
    records about a task tell them too. All others have an empty text.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Complete *record*; what was passed in ``extra`` stays. Always True."""
        run = run_in(copy_context())
        record.task = getattr(record, "task", None) or (run.task if run else "")
        record.run = getattr(record, "run", None) or (run.id if run else "")
        return True


class TextFormatter(logging.Formatter):
    """A formatter whose ``%(message)s`` begins with ``[task run]`` where TaskContext has found one."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name for it
        """Return the line; *record* itself stays as it is, for other handlers."""
        about = " ".join(filter(None, (getattr(record, "task", ""), getattr(record, "run", ""))))
        if about:
            record = copy.copy(record)
            record.message = f"[{about}] {record.message}"
        return super().formatMessage(record)
