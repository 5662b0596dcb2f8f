"""Check-ins of Sentry's cron monitors. Sentry makes a monitor for each task from the first one's schedule."""

import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from asyncsched import conf
from asyncsched.engine.ports import Listener
from asyncsched.engine.runs import Claim, RunResult, RunStatus
from asyncsched.errors import ConfigurationError
from asyncsched.registry import Task, registry
from asyncsched.schedules import Cron, DailyAt, Every

try:
    from sentry_sdk.crons import MonitorStatus, capture_checkin
except ImportError as error:
    raise ConfigurationError("SentryListener needs Sentry's SDK: pip install 'asyncsched[sentry]'") from error

if TYPE_CHECKING:
    from sentry_sdk._types import MonitorConfig, MonitorConfigSchedule


class SentryListener(Listener):
    """Tells Sentry when a run begins and how it ends; what Sentry gets is sent by a thread of its SDK.

    Only tasks of a minute and more: Sentry knows no shorter times. The monitor is called as the
    task, in small letters, with ``-`` for what Sentry does not take.
    """

    def __init__(self, tasks: Iterable[Task] = registry) -> None:
        zone = conf.load().time_zone
        self._monitors = {
            task.name: (re.sub(r"[^a-z0-9_-]", "-", task.name.lower())[:50], _config(task, zone))
            for task in tasks
            if not task.schedule.is_subminute and not task.is_own
        }

    def run_started(self, claim: Claim, started_at: datetime) -> None:
        self._check_in(claim, MonitorStatus.IN_PROGRESS)

    def run_finished(self, result: RunResult) -> None:
        is_well = result.status in {RunStatus.SUCCEEDED, RunStatus.SKIPPED}
        self._check_in(result.claim, MonitorStatus.OK if is_well else MonitorStatus.ERROR, result.duration)

    def _check_in(self, claim: Claim, status: str, duration: float | None = None) -> None:
        if monitor := self._monitors.get(claim.occurrence.task):
            slug, config = monitor
            capture_checkin(slug, check_in_id=claim.run_id, status=status, duration=duration, monitor_config=config)


def _config(task: Task, zone: str) -> "MonitorConfig":
    config: MonitorConfig = {"schedule": _schedule(task), "timezone": getattr(task.schedule, "tz", None) or zone}
    if task.options.timeout:
        config["max_runtime"] = math.ceil(task.options.timeout / 60)
    return config


def _schedule(task: Task) -> "MonitorConfigSchedule":
    schedule = task.schedule
    if isinstance(schedule, Cron):
        return {"type": "crontab", "value": schedule.expression}
    if isinstance(schedule, DailyAt):
        return {"type": "crontab", "value": f"{schedule.minute} {schedule.hour} * * *"}
    if isinstance(schedule, Every):
        return {"type": "interval", "value": math.ceil(schedule.seconds / 60), "unit": "minute"}
    raise ConfigurationError(f"{task.name}: Sentry can be told of an Every, a DailyAt or a Cron only")
