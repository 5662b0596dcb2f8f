"""What became of a run, in the words of ``async_tasks run`` and ``ask``."""

from asyncsched.engine.runs import RunStatus
from asyncsched.management.manual import Attempted
from asyncsched.management.tables import seconds
from asyncsched.management.tones import Tone, tone_of

NO_TASKS = "No tasks are registered: put @register functions into an installed app's tasks.py."


def of_attempt(one: Attempted) -> str:
    """Say what became of a task that was to be run by hand."""
    if one.result is None:
        return f"{one.task}: refused, it is already running elsewhere (--force runs it all the same)"
    result = one.result
    if result.status is RunStatus.SKIPPED:
        return f"{one.task}: skipped, its enabled_when says no (--force runs it all the same)"
    return f"{one.task}: {ended(result.status, result.duration, value=result.value, error=result.error)}"


def tone_of_attempt(one: Attempted) -> Tone | None:
    """Return how well it went."""
    return tone_of(one.result.status if one.result else "refused")


def ended(status: str, duration: float | None, *, value: str | None, error: str | None) -> str:
    """Say how a run ended that took place: ``succeeded in 12.0 ms: 3 deleted``, ``failed after 5.0 s: no route``."""
    is_success = status == RunStatus.SUCCEEDED
    took = "" if duration is None else f" {'in' if is_success else 'after'} {seconds(duration)}"
    what = value if is_success else error
    return f"{status}{took}" + (f": {what}" if what else "")
