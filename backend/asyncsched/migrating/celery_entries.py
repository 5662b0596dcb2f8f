"""What Celery beat sends: entries of ``beat_schedule``, and rows of django-celery-beat."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings

from asyncsched.migrating.found import NotThere
from asyncsched.migrating.project import loading

ROWS = "django_celery_beat"
UNSUPPORTED = {
    "none": "the row has no schedule: give it one, or delete it",
    "solar": "the sun's times are no schedule here: run a task every few minutes that asks a library such as astral, "
    "or leave it with beat",
    "clocked": "it is for one moment, not a schedule: keep it in Celery, with task.apply_async(eta=...)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that beat sends. Moments are aware."""

    name: str
    source: str
    task: str
    """The name of the Celery task."""
    schedule: Any
    """One of Celery's; None only with a *problem*."""
    zone: str
    """Of a crontab."""
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    """Those of ``apply_async``."""
    enabled: bool = True
    one_off: bool = False
    last_run_at: datetime | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    """From then on it is not sent any more."""
    problem: str = ""
    """Why it has no schedule that can be asked, and what to do instead."""


def entries(app: Any) -> Iterator[Entry]:
    """Yield the rows, if the project has them, and then the entries of *app* that are no rows."""
    rows = list(_rows(app)) if apps.is_installed(ROWS) else []
    yield from rows
    names = {row.name for row in rows}
    yield from (entry for entry in _of_the_app(app) if entry.name not in names)


def _of_the_app(app: Any) -> Iterator[Entry]:
    from celery import schedules  # noqa: PLC0415 - an optional extra

    for name, given in app.conf.beat_schedule.items():
        said = dict(given)  # which may be an object of Celery's, too
        schedule, problem = None, ""
        try:
            with loading("its schedule cannot be read"):
                schedule = schedules.maybe_schedule(said["schedule"], said.get("relative", False), app)
        except NotThere as error:
            problem = f"{error}; mend the entry, or delete it"
        yield Entry(
            name=str(name),
            source=f"beat_schedule[{name!r}]",
            task=said.get("task", ""),
            schedule=schedule,
            problem=problem,
            zone=str(app.timezone),
            args=tuple(said.get("args") or ()),
            kwargs=dict(said.get("kwargs") or {}),
            options=dict(said.get("options") or {}),
        )


def _rows(app: Any) -> Iterator[Entry]:
    related = ("interval", "crontab", "solar", "clocked")
    for row in apps.get_model(ROWS, "PeriodicTask").objects.select_related(*related).order_by("pk"):
        kind = next((name for name in related if getattr(row, name)), "none")
        yield _of_row(row, app, problem=UNSUPPORTED.get(kind, ""))


def _of_row(row: Any, app: Any, *, problem: str) -> Entry:
    schedule = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    try:
        with loading("its schedule cannot be read"):
            schedule = None if problem else row.schedule
        with loading("its arguments are no list and no object in JSON"):
            args, kwargs = tuple(_json(row.args, list)), _json(row.kwargs, dict)
    except NotThere as error:
        problem = f"{error}; mend the row, or delete it"
    if schedule is not None:
        schedule.app = app
    is_zone_aware = row.crontab and getattr(settings, "DJANGO_CELERY_BEAT_TZ_AWARE", True)
    return Entry(
        name=row.name,
        source=f"row {row.pk} of {ROWS}, {row.name!r}",
        task=row.task,
        schedule=schedule,
        zone=str(row.crontab.timezone if is_zone_aware else app.timezone),
        args=args,
        kwargs=kwargs,
        options=_options(row),
        enabled=row.enabled,
        one_off=row.one_off,
        last_run_at=row.last_run_at,
        starts=row.start_time,
        ends=row.expires,
        problem=problem,
    )


def _options(row: Any) -> dict[str, Any]:
    given = {name: getattr(row, name) for name in ("queue", "exchange", "routing_key", "priority")}
    given["expires"] = row.expire_seconds
    given["headers"] = None if row.headers in ("", "{}") else row.headers
    return {name: value for name, value in given.items() if value is not None}


def _json(text: str, kind: type[Any]) -> Any:
    """Return what *text*, which may be empty, says; raise ValueError or TypeError if it is none of *kind*."""
    value = json.loads(text) if text else kind()
    if not isinstance(value, kind):
        raise TypeError(text)
    return value
