"""What a project defines, by its dotted path."""

from importlib import import_module
from inspect import cleandoc
from types import ModuleType
from typing import Any

from asyncsched.migrating.found import NotThere


def module_at(path: str) -> ModuleType:
    """Import the module at *path*; raise NotThere, with the reason, if that fails."""
    try:
        return import_module(path)
    except (ImportError, ValueError) as error:
        raise NotThere(f"{path!r} cannot be imported: {error}") from error


def object_at(path: str) -> Any:
    """Return what lies at *path*, ``shop.cron.ClearCarts`` or ``mysite.celery:app``; raise NotThere if nothing does."""
    module_path, _, name = path.partition(":") if ":" in path else path.rpartition(".")
    module = module_at(module_path)
    try:
        return getattr(module, name)
    except AttributeError:
        raise NotThere(f"{path!r} is not there: {module_path} has no {name!r}") from None


def first_line(docstring: str | None) -> str:
    """Return the first line of *docstring*, empty if there is none."""
    return cleandoc(docstring or "").partition("\n")[0]
