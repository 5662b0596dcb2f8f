"""Tasks with every schedule and every option, and what the decorators make of their types."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from asyncsched import (
    Bell,
    CatchUp,
    Cron,
    DailyAt,
    Every,
    History,
    NoCurrentRun,
    Overlap,
    Retry,
    Run,
    Scope,
    Trigger,
    current_run,
    register,
    service,
)
from asyncsched.schedules import Schedule

bell = Bell()


async def is_open() -> bool:
    """Say whether the shop is open."""
    return True


@register(
    "refresh",
    Every(seconds=2.5, jitter=0.5, offset=1),
    description="Fetch prices",
    enabled=True,
    enabled_when=is_open,
    overlap="allow",
    concurrency=2,
    catch_up="none",
    catch_up_window=timedelta(hours=1),
    timeout=2,
    retry=Retry(attempts=3, delay=1, factor=2, max_delay=10),
    suspend_after=5,
    suspend_for=60,
    history="failures",
    scope="replica",
    run_on_start=True,
    rerun_abandoned=False,
    alert_after=float("inf"),
    executor="local",
)
async def refresh() -> int:
    """Report progress, and stop when asked to."""
    run: Run = current_run()
    run.progress(1, total=2)
    if run.stopping or run.trigger is Trigger.MANUAL:
        return run.attempt
    bell.ring()
    return 0


@register(
    "sweep",
    DailyAt(hour=3, minute=30, second=15, tz="Europe/Berlin"),
    enabled_when=lambda: True,
    overlap=Overlap.QUEUE,
    catch_up=CatchUp.ONCE,
    history=History.ALL,
    scope=Scope.CLUSTER,
)
def sweep() -> str | None:
    """Be called from elsewhere as well."""
    try:
        return current_run().id
    except NoCurrentRun:
        return None


@service("listen", enabled_when=lambda: True)
async def listen() -> None:
    """Wait for the bell."""
    while True:
        assert_type(await bell.wait(timeout=60), bool)


class Report:
    """A method can be a task as well."""

    def send(self) -> datetime:
        """Return when it is due next."""
        schedule: Schedule = Cron("*/15 8-18 * * MON-FRI", tz="Europe/Berlin")
        return schedule.next_after(datetime.now(UTC))


send: Callable[[], datetime] = register("report", Cron("5 * * * *"))(Report().send)

# Whoever is decorated keeps its type.
assert_type(refresh, Callable[[], Coroutine[Any, Any, int]])
assert_type(sweep, Callable[[], str | None])
assert_type(listen, Callable[[], Coroutine[Any, Any, None]])


async def call_them() -> tuple[int, str | None]:
    """Call tasks directly, as any function."""
    return await refresh(), sweep()


def mistakes() -> None:
    """Do what a type checker has to find: where it does not, the comment is superfluous, which is an error."""
    Every("2")  # type: ignore[arg-type]
    DailyAt(hour="3")  # type: ignore[arg-type]
    register("no_schedule", 5)  # type: ignore[arg-type]
    register("no_such_option", Every(1), every=1)  # type: ignore[call-arg]
    register("lengths_are_seconds", Every(1), timeout=timedelta(seconds=1))  # type: ignore[arg-type]
    current_run().scheduled_for = datetime.now(UTC)  # type: ignore[misc]

    @service("is_no_coroutine")  # type: ignore[type-var]
    def not_async() -> None: ...

    @register("takes_an_argument", Every(1))  # type: ignore[type-var]
    def with_argument(shelf: str) -> None: ...
