"""Periodic work inside a Django ASGI process: the public door."""

from asyncsched.bell import Bell
from asyncsched.engine.context import Run, current_run
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, Skipped, SkipReason, Stall, Trigger
from asyncsched.errors import AsyncschedError, NoCurrentRun
from asyncsched.policy import CatchUp, History, Overlap, Retry, Scope
from asyncsched.registry import register, service
from asyncsched.schedules import Cron, DailyAt, Every

__version__ = "0.1.0"
__all__ = [
    "AsyncschedError",
    "Bell",
    "CatchUp",
    "Claim",
    "Cron",
    "DailyAt",
    "Every",
    "History",
    "Listener",
    "NoCurrentRun",
    "Occurrence",
    "Overlap",
    "Retry",
    "Run",
    "RunResult",
    "RunStatus",
    "Scope",
    "SkipReason",
    "Skipped",
    "Stall",
    "Trigger",
    "current_run",
    "register",
    "service",
]
