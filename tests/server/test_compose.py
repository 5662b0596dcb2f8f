"""What the settings make of a scheduler: listeners of the project's own, log lines, spans."""

import asyncio
import logging
from typing import Any

import pytest

from asyncsched import Listener, conf
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, Trigger
from asyncsched.errors import ConfigurationError
from asyncsched.listeners.opentelemetry import Tracing
from asyncsched.listeners.pings import PingListener
from asyncsched.models import TaskRun
from asyncsched.server import compose
from tests.engine.conftest import make_task

HERE = "tests.server.test_compose"


class First(Listener):
    """A listener of a project."""


class Second(Listener):
    """Another one."""


class Broken(Listener):
    """One that cannot be made."""

    def __init__(self) -> None:
        raise OSError("no such disk")


def test_listeners_are_made_in_order_without_arguments(settings: Any) -> None:
    settings.ASYNCSCHED = {"LISTENERS": [f"{HERE}.First", f"{HERE}.Second"]}
    assert [type(listener) for listener in compose.chosen_listeners(conf.load())] == [First, Second]


def test_one_that_cannot_be_made_is_named(settings: Any) -> None:
    settings.ASYNCSCHED = {"LISTENERS": [f"{HERE}.Broken"]}
    with pytest.raises(ConfigurationError, match=rf"LISTENERS.*{HERE}\.Broken cannot be made: OSError: no such disk"):
        compose.chosen_listeners(conf.load())


def test_the_one_of_sentry_knows_the_tasks_of_the_project(settings: Any) -> None:
    settings.ASYNCSCHED = {"LISTENERS": ["asyncsched.listeners.sentry.SentryListener"]}
    assert len(compose.chosen_listeners(conf.load())) == 1


def test_addresses_to_ping_make_a_listener(settings: Any) -> None:
    settings.ASYNCSCHED = {"PINGS": {"asyncsched.prune_history": "https://ping.test/1"}}
    assert [type(listener) for listener in compose.chosen_listeners(conf.load())] == [PingListener]


async def test_what_traces_runs_hears_how_they_end(settings: Any) -> None:
    settings.ASYNCSCHED = {"TRACING": True}
    supervisor = compose.supervisor(conf.load())
    assert [type(listener) for listener in supervisor.listeners if isinstance(listener, Tracing)] == [Tracing]


async def test_without_the_setting_nothing_is_traced(settings: Any) -> None:
    settings.ASYNCSCHED = {}
    supervisor = compose.supervisor(conf.load())
    assert not [listener for listener in supervisor.listeners if isinstance(listener, Tracing)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("lines", "kept"), [(2, ["(1 earlier line is left out)", "two", "three"]), (0, [])])
def test_the_lines_of_a_run_by_hand_are_in_its_row(settings: Any, lines: int, kept: list[str]) -> None:
    settings.ASYNCSCHED = {"LOG_LINES": lines}

    def work() -> None:
        for word in ("one", "two", "three"):
            logging.getLogger("shop").warning(word)

    asyncio.run(run_by_hand(work))
    log = TaskRun.objects.get().log or ""
    assert [line.partition(" WARNING shop: ")[2] or line for line in log.splitlines()] == kept


async def run_by_hand(work: Any) -> None:
    """Run *work* as ``async_tasks run`` does."""
    task = make_task(work, is_async=False)
    store = compose.store(conf.load())
    clock = SystemClock()
    await store.load([task])
    occurrence = Occurrence(task=task.name, scheduled_for=clock.now(), trigger=Trigger.MANUAL)
    claim = await store.claim(task, occurrence)
    assert isinstance(claim, Claim)
    runner = Runner(clock, compose.executor(conf.load(), [task], "here"))
    await runner.run(task, claim, due_at=clock.now(), report=store.record)
    await store.close(patience=10.0)
