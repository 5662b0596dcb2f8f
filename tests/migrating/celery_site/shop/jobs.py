"""What the workers do."""

from celery import shared_task

from shop import log


@shared_task(soft_time_limit=60)
def note(what: str) -> None:
    """Write down when it ran."""
    log.note(what)


@shared_task(autoretry_for=(OSError,), retry_backoff=2, max_retries=3)
def close_the_day() -> None:
    """Add up the day's orders."""
    log.note("nightly")
