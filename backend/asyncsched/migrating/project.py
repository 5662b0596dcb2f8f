"""What a project defines, by its dotted path, and the time zone that it is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from inspect import cleandoc
from types import ModuleType
from typing import Any

from django.conf import settings

from asyncsched import conf
from asyncsched.engine.boundary import Boundary
from asyncsched.engine.runner import describe
from asyncsched.migrating.found import Definition, LeftOut, NotThere


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Raise NotThere, with the reason, if loading *what* from a project raises: its modules may run anything."""
    with Boundary() as boundary:
        yield
    if (error := boundary.error) is not None:
        reason = describe(error)
        if isinstance(error, ImportError | NotThere):
            reason = reason.partition(": ")[2]  # it says by itself what it is
        raise NotThere(f"{what}: {reason}") from error


def module_at(path: str) -> ModuleType:
    """Import the module at *path*; raise NotThere, with the reason, if that fails."""
    with loading(f"{path!r} cannot be imported"):
        if path.startswith(".") or not path:
            raise NotThere("it is no dotted path")
        return import_module(path)


def object_at(path: str) -> Any:
    """Return what lies at *path*, ``shop.cron.ClearCarts`` or ``mysite.celery:app``; raise NotThere if nothing does."""
    module_path, _, name = path.partition(":") if ":" in path else path.rpartition(".")
    if not module_path:
        raise NotThere(f"{path!r} is no dotted path such as shop.cron.ClearCarts")
    module = module_at(module_path)
    try:
        return getattr(module, name)
    except AttributeError:
        raise NotThere(f"{path!r} is not there: {module_path} has no {name!r}") from None


def first_line(docstring: str | None) -> str:
    """Return the first line of *docstring*, empty if there is none."""
    return cleandoc(docstring or "").partition("\n")[0]


def in_djangos_zone(definition: Definition) -> Definition:
    """Return *definition*, whose times go by Django's zone, with that zone spelled out if ours is another."""
    if isinstance(definition, LeftOut) or conf.load().time_zone == settings.TIME_ZONE:
        return definition
    return replace(definition, schedule=definition.schedule.in_zone(settings.TIME_ZONE))
