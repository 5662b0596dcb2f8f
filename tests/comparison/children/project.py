"""
A Django project for one child process, and how the child answers.

    set_up("an_app")            # then its models can be imported
    @experiment                 # each finds something, which is JSON
    def what_it_does(): ...
    report()                    # runs them in order, and prints what they found, by their names
"""

import json
import sys
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import django
from django.conf import settings
from django.core.management import call_command

BERLIN = ZoneInfo("Europe/Berlin")
_experiments: list[Callable[[], Any]] = []


def set_up(*apps: str, **options: Any) -> None:
    """Set Django up with *apps*, in Berlin's time, on a SQLite in this folder, with their tables."""
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", *apps],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        TIME_ZONE="Europe/Berlin",
        USE_TZ=True,
        **options,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def experiment(function: Callable[[], Any]) -> Callable[[], Any]:
    """Let *function* be one of those that are reported."""
    _experiments.append(function)
    return function


def report() -> None:
    """Print what each experiment found."""
    json.dump({function.__name__: function() for function in _experiments}, sys.stdout)
