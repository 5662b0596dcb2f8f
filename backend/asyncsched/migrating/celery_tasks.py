"""What a Celery task says of itself: how it is called, how long it may take, how often it is tried."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from asyncsched.migrating.code import Call, call_of, is_importable, text_of
from asyncsched.migrating.found import Difference, Topic
from asyncsched.policy import Retry

ENDLESS = 100  # attempts, for a task that is retried without end
NO_END = f"It is retried without end; here a number of attempts is to be said, and {ENDLESS} are written."

RETRIES = Difference(
    topic=Topic.AFTER_FAILURE,
    there="autoretry_for names the errors after which the message is sent again, also past the task's next time",
    here="a Retry is for every error, and the next occurrence takes the place of a retry that would come after it",
)
TIME_LIMIT = Difference(
    topic=Topic.TIMEOUT,
    there="soft_time_limit raises SoftTimeLimitExceeded in the function, time_limit kills its process",
    here="after timeout a coroutine is cancelled; of a plain function the thread goes on, and is told to stop "
    "by current_run().stopping",
)


def call(task: Any, args: Sequence[object], kwargs: Mapping[str, object]) -> Call:
    """Return the call of *task*, which runs it here and now: by its place in a module, or by its name in the app."""
    module = sys.modules.get(task.__module__) if is_importable(task.__module__) else None
    for name in (task.__name__, task.name.rpartition(".")[2]):
        if getattr(getattr(module, name, None), "name", None) == task.name and not isinstance(vars(module)[name], type):
            return call_of(f"{task.__module__}:{name}", args, kwargs)
    arguments = call_of("tasks:task", args, kwargs).arguments
    imports = ("from celery import current_app",)
    return Call(function=f"current_app.tasks[{text_of(task.name)}]", arguments=arguments, imports=imports)


def timeout(app: Any, task: Any, options: Mapping[str, Any]) -> float | None:
    """Return the first of the limits on its time in seconds, None if there is none."""
    names = ("soft_time_limit", "time_limit")
    limits = [options.get(name) or getattr(task, name) or app.conf[f"task_{name}"] for name in names]
    return min((float(limit) for limit in limits if limit), default=None)


def remarks(task: Any) -> tuple[str, ...]:
    """Return what a person has to look at."""
    tried = retry(task)
    return (NO_END,) if tried is not None and tried.attempts == ENDLESS else ()


def retry(task: Any) -> Retry | None:
    """Return how often *task* is tried by itself, None for once."""
    if not getattr(task, "autoretry_for", ()):
        return None
    told = getattr(task, "retry_kwargs", {})
    more = told.get("max_retries", task.max_retries)
    attempts = ENDLESS if more is None else more + 1
    if backoff := float(getattr(task, "retry_backoff", False)):
        most = float(getattr(task, "retry_backoff_max", 600))
        return Retry(attempts=attempts, delay=min(max(1.0, backoff), most), max_delay=most)
    delay = float(told.get("countdown", task.default_retry_delay))
    return Retry(attempts=attempts, delay=delay, factor=1.0, max_delay=max(delay, Retry().max_delay))
