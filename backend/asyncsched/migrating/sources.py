"""What schedules can be read from, by name."""

from collections.abc import Sequence
from typing import Protocol

from asyncsched.migrating import apscheduler_jobs, background_tasks, celery_beat, django_cron, thread_scheduler
from asyncsched.migrating.found import Definition


class Source(Protocol):
    """What a module has that reads another scheduler's definitions."""

    def read(self, where: Sequence[str]) -> list[Definition]:
        """Return all definitions in the project, also those that cannot be imported.

        *where* says where they are; without any, they are where the other scheduler looks for them.
        Raises NotThere if they cannot be read at all, such as without the other package.
        """


SOURCES: dict[str, Source] = {
    "django-cron": django_cron,
    "celery-beat": celery_beat,
    "apscheduler": apscheduler_jobs,
    "django-background-tasks": background_tasks,
    "thread-scheduler": thread_scheduler,
}
