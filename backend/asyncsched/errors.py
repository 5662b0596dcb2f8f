"""Every error asyncsched raises on purpose.

    AsyncschedError
    ├── ScheduleError        a schedule that cannot be built, or is over (also a ValueError)
    ├── RegistrationError    a ``@register`` or ``@service`` that cannot work
    │   └── DuplicateName    the name is already taken
    ├── UnknownTask          no task of that name (also a LookupError)
    ├── ConfigurationError   settings.ASYNCSCHED, or what the project lacks to start
    ├── StoreUnavailable     the database did not answer; the caller may try again
    ├── StillRunning         a sync task's earlier run is over its time, but its thread goes on
    └── NoCurrentRun         current_run() outside of a run (also a LookupError)

Losing a claim is not an error: see ``engine.runs.Refusal``.
"""


class AsyncschedError(Exception):
    """Root of the tree: catch this to catch all of them."""


class ScheduleError(AsyncschedError, ValueError):
    """The schedule cannot be built, or has no further occurrence."""


class RegistrationError(AsyncschedError):
    """A ``@register`` or ``@service`` call contradicts itself."""


class DuplicateName(RegistrationError):
    """Two functions were registered under one name."""


class UnknownTask(AsyncschedError, LookupError):
    """No task is registered under that name."""


class ConfigurationError(AsyncschedError):
    """The project's settings, or its database, do not allow the scheduler to start."""


class StoreUnavailable(AsyncschedError):
    """The store could not be reached in time. Nothing was changed; trying again later is safe."""


class StillRunning(AsyncschedError):
    """The task cannot run again before the thread of its earlier run, which is over its time, has ended."""


class NoCurrentRun(AsyncschedError, LookupError):
    """``current_run()`` was called outside of a run."""
