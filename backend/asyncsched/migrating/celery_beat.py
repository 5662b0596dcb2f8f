"""Celery beat: the rows of django-celery-beat, and ``beat_schedule`` of the app.

*where* names the app as ``celery -A`` does, ``mysite.celery`` or ``mysite.celery:app``. Without it,
it is that of the module ``celery`` beside the settings, else the one that the project made current
when Django started; where it made none, one is made of the ``CELERY_…`` settings. Its modules of
tasks are imported and it is finalized, so that what ``add_periodic_task`` adds is there as well.
Rows are read if ``django_celery_beat`` is in ``INSTALLED_APPS``; a row takes the place of the entry
of the same name, as it does in beat.
"""

import inspect
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.utils import timezone

from asyncsched.migrating import celery_tasks, conditions
from asyncsched.migrating.celery_entries import Entry, entries
from asyncsched.migrating.celery_schedules import converted
from asyncsched.migrating.code import unwritable
from asyncsched.migrating.found import Converted, Definition, Difference, Found, LeftOut, NoCounterpart, NotThere, Topic
from asyncsched.migrating.project import first_line, loading

OVERLAP = Difference(
    topic=Topic.OVERLAP,
    there="the next message is sent whether or not the last has been worked off: two workers may run it side by side",
    here="an occurrence that comes while the last run is going on is skipped",
)
SEVERAL = Difference(
    topic=Topic.SEVERAL_PROCESSES,
    there="a second beat sends everything twice",
    here="any number of processes may run the scheduler: each occurrence is claimed once",
)
MISSED = Difference(
    topic=Topic.MISSED,
    there="what came due while beat was down is sent once, however old it is, a row with a single hour when that comes "
    "round; what was sent waits for a worker, and all of it is worked off",
    here="what was missed runs once, if it is not older than catch_up_window, a day by default; nothing waits",
)
STARTS = Difference(
    topic=Topic.FIRST_RUN,
    there="a row with a start_time is sent as soon as beat looks at it after that, and by its schedule from then on",
    here="it runs by its schedule from then on",
)
QUEUE = Difference(
    topic=Topic.ORDER,
    there="the message has a queue or a priority of its own",
    here="a task has neither: it runs in this process, or on one of EXECUTORS in the settings, which may have a queue",
)

ROUTING = frozenset({"queue", "exchange", "routing_key", "priority"})
TAKEN_OVER = ROUTING | {"expires", "time_limit", "soft_time_limit"}


def read(where: Sequence[str]) -> list[Definition]:
    """Return all that beat sends; raise NotThere if Celery is not installed or the app cannot be loaded."""
    app, now = _app(where), timezone.now()
    return [_found(entry, app, now) for entry in entries(app)]


def _app(where: Sequence[str]) -> Any:
    try:
        from celery import Celery, current_app  # noqa: PLC0415 - an optional extra
        from celery.app.utils import find_app  # noqa: PLC0415
    except ImportError as error:
        raise NotThere("Celery is not installed: pip install 'asyncsched[celery]'") from error
    package, dot, _ = (settings.SETTINGS_MODULE or "").partition(".")
    path = where[0] if where else f"{package}.celery"
    app: Any
    with loading(f"the Celery app at {path!r} cannot be loaded"):
        if where or (dot and find_spec(path)):
            app = find_app(path)
        elif (app := current_app._get_current_object()).main == "default":  # noqa: SLF001 - the proxy's only way
            app = Celery("asyncsched", set_as_current=False)
            app.config_from_object("django.conf:settings", namespace="CELERY")
            app.autodiscover_tasks()
        app.loader.import_default_modules()
        app.finalize()
    return app


def _found(entry: Entry, app: Any, now: datetime) -> Definition:
    task = app.tasks.get(entry.task)
    if problem := _problem(entry, task):
        return LeftOut(name=entry.name, source=entry.source, problem=problem)
    try:
        result = converted(entry.schedule, zone=entry.zone, last_run_at=entry.last_run_at, now=now)
    except NoCounterpart as error:
        return LeftOut(name=entry.name, source=entry.source, problem=str(error))
    return Found(
        name=entry.name,
        source=entry.source,
        call=celery_tasks.call(task, entry.args, entry.kwargs),
        schedule=result.schedule,
        options=dict(_options(entry, app, task, result, now)),
        description=first_line(inspect.getdoc(task.run)),
        conditions=(*result.conditions, *_limits(entry, now)),
        zone=result.zone,
        remarks=(*_remarks(entry), *celery_tasks.remarks(task)),
        differences=(*result.differences, *_differences(entry, app, task, now)),
    )


def _problem(entry: Entry, task: Any) -> str:
    """Return why *entry* cannot be a task, and what to do instead; nothing if it can."""
    if entry.task.startswith("celery."):
        return f"{entry.task} is a task of Celery's own: leave it with beat, or drop it together with Celery"
    if entry.problem:
        return entry.problem
    if entry.one_off:
        return "it is to run once: call the function by hand, or task.apply_async(eta=...)"
    if task is None:
        return (
            f"the app here has no task {entry.task!r}: import its module, or if it runs in another project, "
            "register a function of yours that calls current_app.send_task"
        )
    return unwritable(entry.args, entry.kwargs)


def _options(entry: Entry, app: Any, task: Any, result: Converted, now: datetime) -> Iterator[tuple[str, object]]:
    """Yield what ``register`` is to be given beside name and schedule."""
    if not entry.enabled or (entry.ends is not None and entry.ends <= now):
        yield "enabled", False
    windows = [entry.options.get("expires")]
    if not result.schedule.is_interval:
        windows.append(app.conf.beat_cron_starting_deadline)
    seconds = [float(window) for window in windows if isinstance(window, int | float)]
    if seconds and not result.schedule.is_subminute:
        yield "catch_up_window", timedelta(seconds=min(seconds))
    if (timeout := celery_tasks.timeout(app, task, entry.options)) is not None:
        yield "timeout", timeout
    if (retry := celery_tasks.retry(task)) is not None:
        yield "retry", retry


def _remarks(entry: Entry) -> Iterator[str]:
    for option in sorted(entry.options.keys() - TAKEN_OVER):
        yield f"Its option {option}={entry.options[option]!r} has no counterpart here."


def _limits(entry: Entry, now: datetime) -> Iterator[conditions.Condition]:
    if entry.starts is not None and entry.starts > now:
        yield conditions.begins(entry.starts)
    if entry.ends is not None and entry.ends > now:
        yield conditions.ends(entry.ends, included=False)


def _differences(entry: Entry, app: Any, task: Any, now: datetime) -> Iterator[Difference]:
    yield from (OVERLAP, SEVERAL, MISSED)
    if entry.starts is not None and entry.starts > now:
        yield STARTS
    if celery_tasks.timeout(app, task, entry.options) is not None:
        yield celery_tasks.TIME_LIMIT
    if celery_tasks.retry(task) is not None:
        yield celery_tasks.RETRIES
    if ROUTING & entry.options.keys():
        yield QUEUE
