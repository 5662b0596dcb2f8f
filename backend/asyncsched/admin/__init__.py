"""The scheduler in Django's admin: history, processes and leadership to read, tasks to pause."""

from asyncsched.admin.replicas import LeaseAdmin, ReplicaAdmin
from asyncsched.admin.runs import TaskRunAdmin
from asyncsched.admin.skips import TaskSkipAdmin
from asyncsched.admin.states import TaskStateAdmin

__all__ = ["LeaseAdmin", "ReplicaAdmin", "TaskRunAdmin", "TaskSkipAdmin", "TaskStateAdmin"]
