"""Misuse dies at import, naming the task, the file and the fix."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from asyncsched import DailyAt, Every, Overlap, Retry, register, registry, service
from asyncsched.errors import DuplicateName, RegistrationError, UnknownTask
from asyncsched.policy import CatchUp, History


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> registry.Registry:
    fresh = registry.Registry()
    monkeypatch.setattr(registry, "registry", fresh)
    return fresh


async def asynchronous() -> bool:
    """Do it on the loop.

    And more.
    """
    return True


def synchronous() -> bool:
    return True


def needs_arguments(limit: int) -> None: ...


def generator() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "options", "complaint"),
    [
        (synchronous, {"enabled_when": asynchronous}, "enabled_when is async but the task is sync"),
        (needs_arguments, {}, "called without arguments, but this needs limit"),
        (generator, {}, "a generator cannot be scheduled"),
        (synchronous, {"overlap": "replace"}, "overlap='replace': must be one of skip, queue, allow"),
        (synchronous, {"catch_up": "some"}, "must be one of once, all, none"),
        (synchronous, {"timeout": 0}, "timeout=0: must be above 0"),
        (synchronous, {"timeout": float("nan")}, "timeout=nan"),
        (synchronous, {"suspend_after": -1}, "suspend_after=-1"),
        (synchronous, {"concurrency": 0}, "concurrency=0"),
        (synchronous, {"catch_up_window": timedelta(0)}, "catch_up_window"),
        (synchronous, {"alert_after": 0}, "alert_after=0: must be above 0, float('inf') or None"),
        (synchronous, {"alert_after": float("nan")}, "alert_after=nan"),
        (synchronous, {"schedule": 60}, "must be an Every, a DailyAt or a Cron"),
        (synchronous, {"name": ""}, "must be text of 1 to 100 characters"),
        (synchronous, {"name": "x" * 101}, "must be text of 1 to 100 characters"),
        (synchronous, {"name": "two\nlines"}, "on one line"),
    ],
)
def test_what_cannot_work_is_refused(function: Callable[[], Any], options: dict[str, Any], complaint: str) -> None:
    arguments: dict[str, Any] = {"name": "clean", "schedule": Every(60)} | options
    with pytest.raises(RegistrationError, match=re.escape(complaint)) as raised:
        register(**arguments)(function)
    assert f"test_registry.py:{function.__code__.co_firstlineno} ({function.__name__})" in str(raised.value)


def test_a_name_is_taken_once() -> None:
    register("clean", Every(60))(synchronous)
    with pytest.raises(DuplicateName, match=r"'clean' is registered twice, at .*synchronous.* and at .*asynchronous"):
        register("clean", Every(60))(asynchronous)


def test_services_and_tasks_share_the_names() -> None:
    register("clean", Every(60))(synchronous)
    with pytest.raises(DuplicateName):
        service("clean")(asynchronous)


def test_importing_a_module_again_is_no_duplicate() -> None:
    register("clean", Every(60))(synchronous)
    register("clean", Every(30))(synchronous)


def test_a_service_must_be_async() -> None:
    with pytest.raises(RegistrationError, match="must be an 'async def'"):
        service("link")(synchronous)  # type: ignore[type-var]


def test_a_registered_function_stays_directly_callable() -> None:
    assert register("clean", Every(60))(synchronous) is synchronous


def test_the_description_is_the_first_line_of_the_docstring(fresh_registry: registry.Registry) -> None:
    register("do", Every(60))(asynchronous)
    assert fresh_registry.get("do").options.description == "Do it on the loop."
    assert fresh_registry.get("do").kind == "async"


def test_an_unknown_name_comes_with_the_likely_spelling(fresh_registry: registry.Registry) -> None:
    register("cleanup", Every(60))(synchronous)
    with pytest.raises(UnknownTask, match="did you mean 'cleanup'"):
        fresh_registry.get("clean_up")
    with pytest.raises(UnknownTask, match="known are: cleanup"):
        fresh_registry.get("zzz")


@pytest.mark.parametrize(
    ("schedule", "catch_up", "history", "is_claimed"),
    [
        (Every(2), CatchUp.NONE, History.SUMMARY, False),
        (Every(60), CatchUp.ONCE, History.ALL, True),
        (DailyAt(3), CatchUp.ONCE, History.ALL, True),
    ],
)
def test_defaults_follow_the_schedule(
    fresh_registry: registry.Registry, schedule: Any, catch_up: CatchUp, history: History, *, is_claimed: bool
) -> None:
    register("do", schedule)(synchronous)
    task = fresh_registry.get("do")
    assert (task.options.catch_up, task.options.history, task.is_claimed) == (catch_up, history, is_claimed)
    assert task.options.overlap is Overlap.SKIP


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"delay": 0}, {"factor": 0.5}, {"delay": 9, "max_delay": 3}])
def test_a_retry_that_would_hammer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RegistrationError):
        Retry(**wrong)
