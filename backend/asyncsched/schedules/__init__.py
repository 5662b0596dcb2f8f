"""Room 0, pure: which instants does a schedule name? No clock is read here."""

from asyncsched.schedules.base import Schedule
from asyncsched.schedules.cron import Cron
from asyncsched.schedules.daily import DailyAt
from asyncsched.schedules.every import Every

__all__ = ["Cron", "DailyAt", "Every", "Schedule"]
