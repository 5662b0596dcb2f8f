"""A schedule that can be asked how often it was asked."""

from datetime import datetime

from asyncsched.schedules import Schedule


class Counted(Schedule):
    """Another schedule, and how many *calls* of ``next_after`` it has cost."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.calls = 0

    def next_after(self, moment: datetime) -> datetime:
        self.calls += 1
        return self.schedule.next_after(moment)

    def describe(self) -> str:
        return self.schedule.describe()

    @property
    def is_subminute(self) -> bool:
        return self.schedule.is_subminute
