"""Tasks of a scheduler with threads, recognised by their shape."""

import sys
import threading
from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from types import ModuleType, SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.utils.functional import SimpleLazyObject

from asyncsched.migrating import thread_scheduler
from asyncsched.migrating.code import text_of
from asyncsched.migrating.found import Definition, Found, LeftOut, NotThere, Topic
from asyncsched.migrating.thread_task import translated

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ZONE = "Europe/Berlin"


def sweep() -> None:
    """Sweep the floor."""


async def wipe() -> None:
    """Wipe it."""


def needy(what: str) -> None:
    """Do it."""


class Broom:
    @classmethod
    def sweep(cls) -> None:
        """Sweep with it."""

    def fetch(self) -> None:
        """Fetch it."""


@dataclass
class Kept:
    name: str
    func: object
    schedule: object


@dataclass(slots=True)
class Slotted:
    callback: object
    seconds: int


Named = namedtuple("Named", ["name", "target", "interval"])


def of(thing: object, *, key: object = "sweep") -> Definition | None:
    return translated(key, thing, zone=ZONE, now=NOW)


def found(thing: object, *, key: object = "sweep") -> Found:
    one = of(thing, key=key)
    assert isinstance(one, Found)
    return one


@pytest.mark.parametrize(
    "thing",
    [
        Kept("sweep", sweep, SimpleNamespace(seconds=30)),
        Slotted(sweep, 30),
        {"function": sweep, "every": timedelta(seconds=30)},
        (sweep, timedelta(seconds=30)),
        Named("sweep", sweep, timedelta(seconds=30)),
    ],
    ids=["object", "slots", "dict", "tuple", "namedtuple"],
)
def test_a_task_is_recognised_by_its_function_and_its_schedule(thing: object) -> None:
    one = found(thing)
    assert (one.name, one.call.text, text_of(one.schedule)) == ("sweep", f"{__name__}.sweep()", "Every(seconds=30)")


@pytest.mark.parametrize(
    ("schedule", "becomes"),
    [
        (SimpleNamespace(seconds=90, jitter=5), "Every(seconds=90, jitter=5)"),
        (SimpleNamespace(hours=1, minutes=30), "Every(seconds=5400)"),
        (SimpleNamespace(hour=3, minute=15), "DailyAt(hour=3, minute=15)"),
        (SimpleNamespace(hour=3, tz="Asia/Tokyo"), 'DailyAt(hour=3, tz="Asia/Tokyo")'),
        (SimpleNamespace(hour=3, timezone=ZoneInfo("Asia/Tokyo")), 'DailyAt(hour=3, tz="Asia/Tokyo")'),
        (time(3, 15, 1), "DailyAt(hour=3, minute=15, second=1)"),
        (timedelta(minutes=5), "Every(seconds=300)"),
    ],
    ids=str,
)
def test_a_schedule_is_recognised_by_what_it_has(schedule: object, becomes: str) -> None:
    assert text_of(found(Kept("sweep", sweep, schedule)).schedule) == becomes


def test_a_timeout_is_no_schedule() -> None:
    task = {"function": sweep, "timeout": timedelta(seconds=5), "every": timedelta(seconds=30)}
    assert text_of(found(task).schedule) == "Every(seconds=30)"


def test_its_description_and_whether_it_is_enabled_are_read() -> None:
    task = {"function": sweep, "schedule": timedelta(seconds=30), "description": "Clean up", "enabled": False}
    assert (found(task).description, found(task).options) == ("Clean up", {"enabled": False})
    assert found((sweep, timedelta(seconds=30))).description == "Sweep the floor."


def test_a_coroutine_is_awaited() -> None:
    assert found((wipe, timedelta(seconds=30))).is_async


def test_a_method_of_a_class_is_called_on_the_class() -> None:
    assert found((Broom.sweep, timedelta(seconds=30))).call.text == f"{__name__}.Broom.sweep()"


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (partial(needy, "dishes"), "no module has its function by a name"),
        (lambda: None, "no module has its function by a name"),
        (Broom().fetch, "no module has its function by a name"),
        (needy, "missing a required argument: 'what'"),
    ],
    ids=["partial", "lambda", "method", "arguments"],
)
def test_a_function_that_cannot_be_called_by_its_name_is_left_out(function: object, why: str) -> None:
    left = of((function, timedelta(seconds=30)))
    assert isinstance(left, LeftOut)
    assert why in left.problem


@pytest.mark.parametrize("schedule", ["always", SimpleNamespace(seconds=0.001), SimpleNamespace(hour=25)], ids=str)
def test_a_schedule_of_another_shape_is_left_out(schedule: object) -> None:
    assert isinstance(of(Kept("sweep", sweep, schedule)), LeftOut)


@pytest.mark.parametrize(
    "thing",
    [sweep, "sweep", 30, Broom, threading.Thread(target=sweep), (sweep, "once"), {"seconds": 30}, threading],
    ids=["function", "text", "number", "class", "thread", "pair", "schedule", "module"],
)
def test_what_has_another_shape_is_no_task(thing: object) -> None:
    assert of(thing) is None


def test_what_has_no_name_is_called_like_its_function() -> None:
    for key in (None, 7):
        one = of((sweep, timedelta(seconds=30)), key=key)
        assert one is not None
        assert one.name == "sweep"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module ``home`` that keeps a scheduler's tasks."""
    home = ModuleType("home")
    monkeypatch.setitem(sys.modules, "home", home)
    return home


def test_what_is_kept_twice_is_one_task(module: ModuleType) -> None:
    task = Kept(name="sweep", func=sweep, schedule=timedelta(seconds=30))
    module.by_name, module.in_order = {"sweep": task}, [task]
    assert [one.name for one in thread_scheduler.read(["home"])] == ["sweep"]


def test_what_is_made_when_it_is_needed_is_left_alone_or_left_out(module: ModuleType) -> None:
    def make() -> object:
        raise LookupError("no network")

    module.client, module.tasks = SimpleLazyObject(make), {"lazy": SimpleLazyObject(make)}
    (left,) = thread_scheduler.read(["home"])
    assert isinstance(left, LeftOut)
    assert left.problem.startswith("it cannot be read: LookupError: no network")


@pytest.mark.parametrize(("zone", "differs"), [("Europe/Berlin", True), ("Asia/Tokyo", False)])
def test_clock_changes_are_told_of_where_there_are_any(zone: str, differs: bool) -> None:
    topics = [difference.topic for difference in found((sweep, SimpleNamespace(hour=3, tz=zone))).differences]
    assert (Topic.CLOCK_CHANGES in topics) is differs


def test_without_a_module_of_the_usual_name_it_asks_where() -> None:
    with pytest.raises(NotThere, match="say where the scheduler lies, with --where"):
        thread_scheduler.read([])
