"""Telling the scheduler's errors apart."""

from asyncsched import AsyncschedError
from asyncsched.errors import (
    ConfigurationError,
    DuplicateName,
    NoCurrentRun,
    RegistrationError,
    ScheduleError,
    StillRunning,
    StoreUnavailable,
    UnknownTask,
)


def whose_fault(error: Exception) -> str:
    """Say who has to do something about *error*."""
    match error:
        case StoreUnavailable() | StillRunning():
            return "nobody: try again later"
        case ScheduleError() | RegistrationError() | DuplicateName() | NoCurrentRun() | UnknownTask():
            return "who wrote the code"
        case ConfigurationError() | AsyncschedError():
            return "who runs the site"
        case _:
            return "not ours"
