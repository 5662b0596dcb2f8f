"""The tasks, as a worker knows them: it finds their functions here, by name."""

from django.conf import settings

from asyncsched import Every, register

from . import functions

HOURLY = Every(3600)

for function in (
    functions.answers,
    functions.answers_async,
    functions.says_nothing,
    functions.answers_unprintably,
    functions.fails,
    functions.fails_async,
    functions.exits,
    functions.returns_a_coroutine,
    functions.tells_its_run,
    functions.progresses,
    functions.logs,
    functions.logs_async,
    functions.holds,
    functions.heeds,
    functions.heeds_async,
    functions.meets_a_fresh_connection,
):
    name = function.__name__
    is_first = name in settings.ERRANDS_ON_START
    where = {"executor": settings.ERRANDS_EXECUTOR, "enabled": settings.ERRANDS_ENABLED}
    register(name, HOURLY, run_on_start=is_first, **where)(function)

register("is_not_enabled", HOURLY, enabled_when=functions.never)(functions.answers)
register("is_not_enabled_async", HOURLY, enabled_when=functions.never_async)(functions.answers_async)
