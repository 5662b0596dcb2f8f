"""The scheduler in Django's admin: history to read, tasks to pause."""

from asyncsched.admin.runs import TaskRunAdmin
from asyncsched.admin.skips import TaskSkipAdmin
from asyncsched.admin.states import TaskStateAdmin

__all__ = ["TaskRunAdmin", "TaskSkipAdmin", "TaskStateAdmin"]
