"""What the scheduler does for itself, on schedule like all else."""

import time
from datetime import timedelta

from django.utils import timezone

from asyncsched import Every, NoCurrentRun, Run, conf, current_run, register
from asyncsched.storage import retention

LONGEST = 900.0
"""Seconds after which pruning leaves the rest to its next run, so that it never counts as stuck."""


@register("asyncsched.prune_history", Every(seconds=3600), timeout=2 * LONGEST)
def prune_history() -> int:
    """Delete runs and skips that are too old or too many, by HISTORY_DAYS and HISTORY_RUNS; return how many."""
    settings = conf.load()
    run = _run_or_none()
    until = time.monotonic() + LONGEST

    def go_on(deleted: int) -> bool:
        if run is not None:
            run.progress(deleted)
        return time.monotonic() < until and not (run is not None and run.stopping)

    return retention.prune(
        before=timezone.now() - timedelta(days=settings.history_days) if settings.history_days else None,
        runs=settings.history_runs,
        go_on=go_on,
    )


def _run_or_none() -> Run | None:
    """Return the run this is part of; None if the function was called directly."""
    try:
        return current_run()
    except NoCurrentRun:
        return None
