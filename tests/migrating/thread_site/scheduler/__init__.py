"""A scheduler as many projects have written one: a thread for each task, and one that watches them."""

from scheduler.registry import ScheduledTask, get_tasks, register
from scheduler.schedules import DailyAt, Every

__all__ = ["DailyAt", "Every", "ScheduledTask", "get_tasks", "register"]
