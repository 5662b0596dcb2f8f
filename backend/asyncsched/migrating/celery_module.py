"""The text of a module with which Celery beat does what our tasks do, for a person to review. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from asyncsched.migrating.code import STEP, Call, call_of, text_of
from asyncsched.migrating.found import LeftOut
from asyncsched.migrating.naming import function_names
from asyncsched.migrating.to_celery_beat import Sent, fields_of
from asyncsched.migrating.writing import bound, comment, docstring, import_block
from asyncsched.registry import Task, where
from asyncsched.schedules import Every

HEAD = '"""Written from the tasks of asyncsched by async_tasks export: to be reviewed."""\n'
CREATE_ROWS = '''
def create_rows() -> None:
    """Create the rows, or bring them up to date."""
    kinds = {"crontab": CrontabSchedule.objects, "interval": IntervalSchedule.objects}
    for name, values in ROWS.items():
        for kind in kinds.keys() & values.keys():
            said = values[kind]
            found = kinds[kind].filter(**said).first()
            values = {**values, kind: found or kinds[kind].create(**said)}
        PeriodicTask.objects.update_or_create(name=name, defaults=values)
'''


def sayable_in_settings(sent: Iterable[Sent]) -> tuple[list[Sent], list[LeftOut]]:
    """Return which of *sent* ``beat_schedule`` can say, which has no switches and one time zone, and which not."""
    sent = list(sent)
    zone = _zone(sent)
    able: list[Sent] = []
    left_out: list[LeftOut] = []
    for one in sent:
        if not one.task.options.enabled:
            reason = "it is disabled, and beat_schedule has no switch: use --format rows"
        elif one.zone not in (None, zone):
            reason = f"it is in {one.zone}, and beat_schedule is in {zone}: use --format rows"
        else:
            able.append(one)
            continue
        left_out.append(LeftOut(name=one.name, source=where(one.task.function), problem=reason))
    return able, left_out


def settings_module(sent: Sequence[Sent], left_out: Sequence[LeftOut]) -> str:
    """Return functions for the workers, and ``CELERY_BEAT_SCHEDULE`` for the settings."""
    imports = {"from celery.schedules import crontab"} if any(one.crontabs for one in sent) else set()
    entries = {
        name: {"task": one.name, "schedule": schedule, "options": {"expires": one.expires}}
        for one in sent
        for name, schedule in _schedules(one)
    }
    zone = _zone(sent)
    tail = [comment("For the settings.")]
    if zone:
        tail.append(f"CELERY_TIMEZONE = {text_of(zone)}\n")
    tail.append(_nested(entries, "CELERY_BEAT_SCHEDULE = ") + "\n")
    return _module(sent, left_out, imports, "".join(tail))


def rows_module(sent: Sequence[Sent], left_out: Sequence[LeftOut], now: datetime) -> str:
    """Return functions for the workers, and one that creates the rows of django-celery-beat."""
    rows = {name: row for one in sent for name, row in _rows(one, now)}
    names = ("CrontabSchedule", "IntervalSchedule", "PeriodicTask")
    imports = {f"from django_celery_beat.models import {name}" for name in names}
    if any("last_run_at" in row for row in rows.values()):
        imports |= {"from datetime import UTC", "from datetime import datetime"}
    tail = f"{comment('For the database: call create_rows() once.')}{_nested(rows, 'ROWS = ')}\n\n{CREATE_ROWS}"
    return _module(sent, left_out, imports, tail)


def _module(sent: Sequence[Sent], left_out: Sequence[LeftOut], imports: set[str], tail: str) -> str:
    calls = [_call(one.task) for one in sent]
    needed = {"from celery import shared_task", *imports, *(line for call in calls for line in call.imports)}
    names = function_names([(one.name, call) for one, call in zip(sent, calls, strict=True)], bound(needed))
    functions = [f"\n{_function(*each)}" for each in zip(sent, names, calls, strict=True)]
    reasons = [comment(f"Left out: {one.name}, from {one.source}: {one.problem}", indent="  ") for one in left_out]
    parts = [HEAD, import_block(needed), *functions, f"\n{tail}", *(["\n" + "".join(reasons)] if reasons else [])]
    return "\n".join(parts).rstrip("\n") + "\n"


def _call(task: Task) -> Call:
    call = call_of(f"{task.function.__module__}:{task.function.__qualname__}")
    if not task.is_async:
        return call
    imports = (*call.imports, "from asgiref.sync import async_to_sync")
    return Call(function=f"async_to_sync({call.function})", imports=imports)


def _function(one: Sent, name: str, call: Call) -> str:
    """Return the Celery task that calls ours."""
    description = one.task.options.description
    decorator = Call(function="shared_task", arguments=(f"name={text_of(one.name)}", *_limits(one)))
    body = f"{STEP}{docstring(description)}\n" if description else ""
    return f"{decorator.laid_out('@')}\ndef {name}() -> object:\n{body}{call.laid_out('return ', indent=STEP)}\n"


def _limits(one: Sent) -> Iterator[str]:
    """Yield what ``shared_task`` is to be given of the timeout and the retries."""
    options = one.task.options
    if options.timeout is not None:
        yield f"soft_time_limit={math.ceil(options.timeout)}"
    if options.retry.attempts > 1:
        yield "autoretry_for=(Exception,)"
        yield f"max_retries={options.retry.attempts - 1}"
        if options.retry.factor > 1:
            yield f"retry_backoff={math.ceil(options.retry.delay)}"
            yield f"retry_backoff_max={math.ceil(options.retry.max_delay)}"
        else:
            yield f"default_retry_delay={math.ceil(options.retry.delay)}"


def _schedules(one: Sent) -> Iterator[tuple[str, object]]:
    """Yield the entries for a task: its schedule, or several that are one here."""
    if one.seconds is not None:
        yield one.name, one.seconds
    for number, crontab in enumerate(one.crontabs, start=1):
        fields = tuple(f"{name}={text_of(value)}" for name, value in fields_of(crontab).items())
        yield _numbered(one.name, number), Call(function="crontab", arguments=fields)


def _rows(one: Sent, now: datetime) -> Iterator[tuple[str, dict[str, object]]]:
    common = {"task": one.name, "enabled": one.task.options.enabled, "expire_seconds": math.ceil(one.expires)}
    if one.seconds is not None and isinstance(one.task.schedule, Every):
        whole = one.seconds.is_integer() if isinstance(one.seconds, float) else True
        every, period = (int(one.seconds), "seconds") if whole else (round(one.seconds * 1e6), "microseconds")
        row = {**common, "interval": {"every": every, "period": period}}
        if one.seconds >= 60:  # it is to go on from where it is now
            last = one.task.schedule.latest_until(now)
            moment = f"datetime({', '.join(map(str, last.timetuple()[:6]))}, tzinfo=UTC)"
            row["last_run_at"] = Call(function=moment, arguments=None)
        yield one.name, row
    for number, crontab in enumerate(one.crontabs, start=1):
        yield _numbered(one.name, number), {**common, "crontab": {**asdict(crontab), "timezone": one.zone}}


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} ({number})"


def _zone(sent: Iterable[Sent]) -> str | None:
    """Return the zone that most of *sent* have, None if there are intervals only."""
    zones = Counter(one.zone for one in sent if one.zone)
    return zones.most_common(1)[0][0] if zones else None


def _nested(value: dict[str, Any], before: str, indent: str = "") -> str:
    """Return *value* after the text *before*; a line for each of what is in it."""
    inner = indent + STEP
    lines = []
    for key, one in value.items():
        name = f"{text_of(key)}: "
        call = one if isinstance(one, Call) else Call(function=text_of(one), arguments=None)
        lines.append(_nested(one, name, inner) if isinstance(one, dict) else call.laid_out(name, indent=inner))
    return "".join([f"{indent}{before}{{\n", *(f"{line},\n" for line in lines), f"{indent}}}"])
