"""Finding the run that people mean, by the beginning of its id or by its task."""

from uuid import UUID

from asyncsched.models import TaskRun

MOST_READ = 10_000


def beginning_with(text: str) -> list[UUID]:
    """Return those of the latest MOST_READ runs whose ids, in hex digits, begin with *text*; newest first.

    By reading so many, because databases order the native type of ids each in its own way.
    """
    latest = TaskRun.objects.order_by("-started_at").values_list("run_id", flat=True)[:MOST_READ]
    return [run_id for run_id in latest if run_id.hex.startswith(text)]


def latest_of(task: str) -> UUID | None:
    """Return the run of *task* that began last, None if history has none."""
    return TaskRun.objects.filter(task=task).order_by("-started_at").values_list("run_id", flat=True).first()
