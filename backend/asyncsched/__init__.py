"""Periodic work inside a Django ASGI process: the public door."""

from asyncsched.bell import Bell
from asyncsched.engine.context import Run, current_run
from asyncsched.errors import AsyncschedError, NoCurrentRun
from asyncsched.policy import CatchUp, History, Overlap, Retry, Scope
from asyncsched.registry import register, service
from asyncsched.schedules import Cron, DailyAt, Every

__version__ = "0.1.0"
__all__ = [
    "AsyncschedError",
    "Bell",
    "CatchUp",
    "Cron",
    "DailyAt",
    "Every",
    "History",
    "NoCurrentRun",
    "Overlap",
    "Retry",
    "Run",
    "Scope",
    "current_run",
    "register",
    "service",
]
