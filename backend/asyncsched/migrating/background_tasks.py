"""django-background-tasks: the rows of its table ``background_task`` that repeat.

They are read where the package is still in ``INSTALLED_APPS``, from the database that it is used
with. Nothing is to be said with *where*. A row names a function that ``@background`` keeps by a name
of its own; the task calls the function as such (``.now``), with the row's arguments.

A row that does not repeat is a job, not a schedule: those of a function are told of together.
"""

from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone

from asyncsched.migrating.background_row import MAX_ATTEMPTS, MAX_RUN_TIME, BackgroundRow, translated
from asyncsched.migrating.found import Definition, LeftOut, NotThere
from asyncsched.migrating.project import first_line, loading, module_at

TABLE = "background_task"


def read(where: Sequence[str]) -> list[Definition]:
    """Return what the rows say, by their names; raise NotThere without the package."""
    if where:
        raise NotThere("django-background-tasks keeps its schedules in one table: leave out --where")
    if not apps.is_installed(TABLE):
        raise NotThere("'background_task' is not in INSTALLED_APPS: run this where it still is, beside asyncsched")
    functions = _functions()
    rows = apps.get_model(TABLE, "Task")._default_manager.order_by("task_name", "pk")
    repeating = (_definition(row, functions) for row in rows.filter(repeat__gt=0, failed_at=None))
    return [*repeating, *_given_up(rows), *_jobs(rows)]


def _functions() -> dict[str, Any]:
    """Return what ``@background`` has made of functions, by their names."""
    tasks = module_at("background_task.tasks")
    with loading("a module of tasks cannot be imported"):
        tasks.autodiscover()
    return dict(tasks.tasks._tasks)  # noqa: SLF001 - there is no other way to ask


def _definition(row: Any, functions: dict[str, Any]) -> Definition:
    source = f"row {row.pk} of {TABLE}"
    proxy: Any = functions.get(row.task_name)
    path = _path(proxy) if proxy else None
    if path is None:
        problem = (
            "no module has this function any more, by a name that can be imported: delete the row, or mend the name"
        )
        return LeftOut(name=row.task_name, source=source, problem=problem)
    try:
        with loading("its arguments cannot be read"):
            args, kwargs = row.params()
            creator = str(row.creator or "")
    except NotThere as error:
        return LeftOut(name=row.task_name, source=source, problem=f"{error}; mend the row, or delete it")
    return translated(
        BackgroundRow(
            name=row.task_name,
            source=source,
            path=path,
            args=args,
            kwargs=kwargs,
            description=row.verbose_name or first_line(proxy.task_function.__doc__),
            run_at=row.run_at,
            repeat=row.repeat,
            repeat_until=row.repeat_until,
            queue=row.queue,
            priority=row.priority,
            creator=creator,
        ),
        now=timezone.now(),
        max_attempts=getattr(settings, "MAX_ATTEMPTS", MAX_ATTEMPTS),
        max_run_time=getattr(settings, "MAX_RUN_TIME", MAX_RUN_TIME),
    )


def _path(proxy: Any) -> str | None:
    """Return where the function of *proxy* lies, ``shop.tasks:notify.now``; None if nothing there is that function."""
    function: FunctionType = proxy.task_function
    lies_there = getattr(module_at(function.__module__), function.__name__, None)
    if lies_there is proxy:
        return f"{function.__module__}:{function.__name__}.now"
    return f"{function.__module__}:{function.__name__}" if lies_there is function else None


def _given_up(rows: Any) -> Iterator[LeftOut]:
    for row in rows.filter(repeat__gt=0).exclude(failed_at=None):
        problem = f"it failed for good at {timezone.localtime(row.failed_at):%Y-%m-%d %H:%M}: delete the row"
        yield LeftOut(name=row.task_name, source=f"row {row.pk} of {TABLE}", problem=problem)


def _jobs(rows: Any) -> Iterator[LeftOut]:
    """Yield, for each function, what is to be done once: jobs, of which there may be thousands."""
    counted = rows.filter(repeat=0).order_by("task_name").values("task_name")
    for job in counted.annotate(count=Count("pk"), first=Min("run_at"), row=Min("pk")):
        first = timezone.localtime(job["first"])
        rows_of_it = f"row {job['row']}" if job["count"] == 1 else f"{job['count']} rows"
        problem = (
            f"to be done once, at {first:%Y-%m-%d %H:%M} or later, which no schedule is: let process_tasks work it "
            "off, or hand such jobs to Django's tasks"
        )
        yield LeftOut(name=job["task_name"], source=f"{rows_of_it} of {TABLE}", problem=problem)
