"""django-cron: the classes that ``CRON_CLASSES`` names, or *where* does, ``shop.cron.ClearCarts``.

What counts is the class's ``schedule``, whatever its arguments are called in the version at hand
(``run_on_days`` is ``run_weekly_on_days``, too), or where a class has none, constants of the same
names: ``RUN_EVERY_MINS``, ``RUN_AT_TIMES`` and so on.

django-cron's models do not load with Django from 5.1 on, which asyncsched needs, so the package is
as a rule neither installed nor in ``INSTALLED_APPS`` any more. The modules with the classes need two
names of it, a base class and a value. So while they are imported, a stand-in with just these two
takes the place of a django-cron that is not there.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from django.conf import settings
from django.utils import timezone

from asyncsched.migrating.cron_class import CronClass, translated
from asyncsched.migrating.found import Definition, LeftOut, NotThere
from asyncsched.migrating.project import first_line, in_djangos_zone, object_at

PACKAGE = "django_cron"


def read(where: Sequence[str]) -> list[Definition]:
    """Return what the classes say, in their order; raise NotThere if no class is named anywhere."""
    named = where or getattr(settings, "CRON_CLASSES", ())
    if isinstance(named, str):
        raise NotThere("settings.CRON_CLASSES is a text: make it a list of the dotted paths of classes")
    paths = list(dict.fromkeys(named))
    if not paths:
        raise NotThere("settings.CRON_CLASSES names no class: say which, with --where shop.cron.ClearCarts")
    with _package_or_stand_in():
        return [in_djangos_zone(found) for path in paths for found in _of_path(path)]


@contextmanager
def _package_or_stand_in() -> Iterator[None]:
    if PACKAGE in sys.modules or find_spec(PACKAGE) is not None:
        yield
        return
    stand_in = ModuleType(PACKAGE)
    vars(stand_in).update(CronJobBase=type("CronJobBase", (), {}), Schedule=_Schedule)
    sys.modules[PACKAGE] = stand_in
    try:
        yield
    finally:
        del sys.modules[PACKAGE]


class _Schedule:
    """Keeps what it is given; what its arguments are called is looked at later."""

    def __init__(self, run_every_mins: object = None, run_at_times: object = None, **others: object) -> None:
        vars(self).update(others, run_every_mins=run_every_mins, run_at_times=run_at_times)


def _of_path(path: str) -> list[Definition]:
    if path.startswith(f"{PACKAGE}."):
        problem = "it mails when jobs of django-cron have failed in a row: alerts do that here"
        return [LeftOut(name=path, source=path, problem=problem)]
    try:
        return translated(_cron_class(path, object_at(path)), zone=settings.TIME_ZONE, now=timezone.now())
    except NotThere as error:
        return [LeftOut(name=path, source=path, problem=f"{error}; mend that, or leave it out")]


def _cron_class(path: str, defined: Any) -> CronClass:
    if not isinstance(defined, type):
        raise NotThere(f"{path!r} is no class")
    schedule = getattr(defined, "schedule", None)

    def said(*names: str) -> Any:
        for name in names:
            value = getattr(defined, name.upper(), None) if schedule is None else getattr(schedule, name, None)
            if value is not None:
                return value
        return None

    return CronClass(
        path=path,
        code=str(getattr(defined, "code", None) or path),
        description=first_line(vars(defined).get("__doc__")),
        every_mins=said("run_every_mins"),
        at_times=tuple(said("run_at_times") or ()),
        weekdays=said("run_on_days", "run_weekly_on_days"),
        month_days=said("run_monthly_on_days"),
        retry_mins=said("retry_after_failure_mins"),
        is_parallel=bool(getattr(defined, "ALLOW_PARALLEL_RUNS", False)),
        mailed_after=getattr(defined, "MIN_NUM_FAILURES", None),
    )
