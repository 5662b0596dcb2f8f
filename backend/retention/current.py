"""The run in progress, for code that is also called from a shell, a page or a test."""

from asyncsched import NoCurrentRun, Run, current_run


def run_or_none() -> Run | None:
    """Return the run the caller is part of; None outside of one."""
    try:
        return current_run()
    except NoCurrentRun:
        return None
