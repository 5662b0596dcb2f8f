"""When to run, and how long to wait for it."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone


@dataclass(frozen=True)
class Every:
    seconds: int
    jitter: int = 0

    def wait(self) -> float:
        return self.seconds + random.uniform(0, self.jitter)


@dataclass(frozen=True)
class DailyAt:
    hour: int
    minute: int = 0

    def wait(self) -> float:
        now: datetime = timezone.localtime()
        target = now.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        if target <= now:
            target += timedelta(days=1)
        return (target - now).total_seconds()
