"""Gives the database of DATABASE_URL a past: an hour of runs as the deployment's own schedules have them.

For pictures. What these runs took is made up, by a fixed seed; a second process and a failure are among them.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from demo import prepare

PASSWORD_LINE = prepare.prepare(speed=2.0)

from django.utils import timezone  # noqa: E402 - Django is set up by now

from asyncsched import conf  # noqa: E402
from asyncsched.models import LoopStall, TaskRun, TaskState  # noqa: E402
from asyncsched.registry import Task  # noqa: E402
from asyncsched.server import compose  # noqa: E402

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HANDED_OVER = timedelta(minutes=38)  # ago: a deploy, the process before is another
SECONDS = {"sync_entity_states": 0.4, "notifications_send_pending": 0.05, "cleanup_old_events": 2.1}
ERROR = "HomeAssistantError: Home Assistant did not answer within 10 s"


def main() -> None:
    """Write the rows, and print the line with the new administrator's password."""
    random, now = Random(6), timezone.now()
    for task in compose.tasks(conf.load()):
        runs = list(_runs(task, now, random))
        TaskRun.objects.bulk_create(runs)
        if runs:
            last = runs[-1]
            TaskState.objects.update_or_create(
                task=task.name,
                defaults={
                    "cursor": last.scheduled_for,
                    "last_status": last.status,
                    "last_trigger": last.trigger,
                    "last_scheduled_for": last.scheduled_for,
                    "last_started_at": last.started_at,
                    "last_finished_at": last.finished_at,
                    "last_duration": last.duration,
                    "last_success_at": last.finished_at,
                    "runs": sum(run.count for run in runs),
                    "failures": sum(run.status == "failed" for run in runs),
                },
            )
    LoopStall.objects.create(
        began_at=now - timedelta(minutes=21),
        seconds=2.4,
        replica=_replica(now, now),
        culprit="request GET /reports/yearly",
        where="shop/views.py:41 (yearly)",
    )
    print(PASSWORD_LINE)  # noqa: T201 - who started this reads it


def _runs(task: Task, now: datetime, random: Random) -> Iterator[TaskRun]:
    begun = now - (HOUR if task.schedule.is_interval else DAY)
    step = timedelta(minutes=1) if task.schedule.is_subminute else timedelta(0)
    moment = task.schedule.next_after(begun)
    while moment < now - timedelta(seconds=5):
        yield _run(task, moment, now, random)
        moment = task.schedule.next_after(moment + max(step, timedelta(microseconds=1)))


def _run(task: Task, due: datetime, now: datetime, random: Random) -> TaskRun:
    usual = SECONDS.get(task.name, 0.006)
    has_failed = task.name == "sync_entity_states" and HANDED_OVER < now - due < HANDED_OVER + timedelta(minutes=5)
    took = 10.0 if has_failed else usual * random.lognormvariate(0, 0.35)
    lateness = random.lognormvariate(0, 0.4) / 1000
    started = due + timedelta(seconds=lateness)
    return TaskRun(
        run_id=uuid.UUID(int=random.getrandbits(128), version=4),
        task=task.name,
        scheduled_for=due,
        trigger="schedule",
        status="failed" if has_failed else "succeeded",
        count=round(60 / task.schedule.seconds) if task.schedule.is_subminute else 1,
        started_at=started,
        finished_at=started + timedelta(seconds=60 if task.schedule.is_subminute else took),
        duration=took,
        lateness=lateness,
        error=ERROR if has_failed else "",
        replica=_replica(due, now),
        claimant="",
        term=7 if now - due < HANDED_OVER else 6,
    )


def _replica(moment: datetime, now: datetime) -> str:
    return f"alarm:{4102 if now - moment > HANDED_OVER else 5230}:{'0' * 32}"


if __name__ == "__main__":
    main()
