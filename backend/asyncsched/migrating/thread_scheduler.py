"""A scheduler with a thread for each task, in the process that serves: the alarm's old one, and its like.

*where* names its module, which is ``scheduler`` without it, and after that modules to be imported
because they register tasks. What ``AppConfig.ready()`` imports is imported already, and so is
``tasks`` of every app. What such a scheduler keeps is recognised by its shape: see `thread_task`.
It is looked for in the module, and if that is a package in its modules, too: in each dict, list,
tuple or set, of a module or of an object of a class that is defined there.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from asyncsched.migrating.found import Definition, LeftOut, NotThere
from asyncsched.migrating.project import in_djangos_zone, loading, module_at
from asyncsched.migrating.thread_task import attributes, translated

USUAL = "scheduler"

Entry = tuple[object, object]
"""The key of something in a dict, None in other containers, and the thing itself."""


def read(where: Sequence[str]) -> list[Definition]:
    """Return all that is registered, in that order; raise NotThere if there is no such module."""
    path, *others = where or [USUAL]
    try:
        module = module_at(path)
    except NotThere as error:
        raise NotThere(f"{error}; say where the scheduler lies, with --where") from error
    with loading("a module of tasks cannot be imported"):
        autodiscover_modules("tasks")
    for other in others:
        module_at(other)
    now = timezone.now()
    definitions = [_definition(key, thing, path, now) for key, thing in _entries(module)]
    return [in_djangos_zone(definition) for definition in definitions if definition is not None]


def _definition(key: object, thing: object, path: str, now: datetime) -> Definition | None:
    try:
        with loading("it cannot be read"):
            return translated(key, thing, zone=settings.TIME_ZONE, now=now)
    except NotThere as error:
        name = key if isinstance(key, str) else type(thing).__name__
        return LeftOut(name=name, source=path, problem=f"{error}; if it is a task, write it by hand")


def _entries(module: ModuleType) -> Iterator[Entry]:
    """Yield what the containers of *module* hold, all of it once."""
    seen: set[int] = set()
    modules = {name: one for name, one in sys.modules.items() if f"{name}.".startswith(f"{module.__name__}.")}
    for one in modules.values():
        for name, value in vars(one).items():
            if name.startswith("__"):
                continue
            kept = attributes(value).values() if type(value).__module__ in modules else ()
            for container in (value, *kept):
                for key, thing in _held(container):
                    if id(thing) not in seen:
                        seen.add(id(thing))
                        yield key, thing


def _held(container: Any) -> Iterator[Entry]:
    kind = type(container)  # isinstance would ask an object that is to be made later to be made now
    if issubclass(kind, dict):
        yield from container.items()
    elif issubclass(kind, list | tuple | set | frozenset):
        yield from ((None, one) for one in container)
