"""The scheduler in Django's admin: tasks to run and to pause; history, processes and leadership to read."""

from asyncsched.admin.replicas import LeaseAdmin, ReplicaAdmin
from asyncsched.admin.runs import TaskRunAdmin
from asyncsched.admin.skips import TaskSkipAdmin
from asyncsched.admin.states import TaskStateAdmin
from asyncsched.admin.terms import LoopStallAdmin, TermAdmin

__all__ = [
    "LeaseAdmin",
    "LoopStallAdmin",
    "ReplicaAdmin",
    "TaskRunAdmin",
    "TaskSkipAdmin",
    "TaskStateAdmin",
    "TermAdmin",
]
