"""Names of what was found: as they were, as far as they are valid and free."""

from dataclasses import replace

import pytest

from asyncsched.migrating.code import call_of
from asyncsched.migrating.found import Found, LeftOut
from asyncsched.migrating.naming import function_name, function_names, named
from asyncsched.schedules import Every

ONE = Found(name="shop.clear", source="", call=call_of("os:getcwd"), schedule=Every(60))


def names(*wanted: str) -> list[str]:
    return [one.name for one in named([replace(ONE, name=name) for name in wanted])]


def test_a_name_that_is_valid_stays() -> None:
    assert names("shop.clear", "On working days") == ["shop.clear", "On working days"]


def test_the_second_of_a_name_has_a_number() -> None:
    assert names("report", "report", "report_2", "report") == ["report", "report_2", "report_2_2", "report_3"]


@pytest.mark.parametrize(
    ("wanted", "gets"),
    [("two\nlines", "two lines"), ("  ", "task"), ("asyncsched.prune", "prune"), ("x" * 190, "x" * 100)],
    ids=["lines", "empty", "ours", "long"],
)
def test_a_name_that_register_would_refuse_becomes_one_it_takes(wanted: str, gets: str) -> None:
    assert names(wanted) == [gets]


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert names("x" * 150, "x" * 190) == ["x" * 100, "x" * 98 + "_2"]


def test_what_is_left_out_takes_no_name_away() -> None:
    left = LeftOut(name="report", source="", problem="it is a job")
    assert [one.name for one in named([left, replace(ONE, name="report")])] == ["report", "report"]


@pytest.mark.parametrize(
    ("task", "function"),
    [
        ("shop.tasks.clear_carts", "clear_carts"),
        ("ClearCarts", "clear_carts"),
        ("every ten minutes", "every_ten_minutes"),
        ("7-days", "task_7_days"),
        ("class", "task_class"),
        ("!", "task"),
    ],
)
def test_a_function_is_called_like_the_end_of_its_task(task: str, function: str) -> None:
    assert function_name(task) == function


def test_no_function_hides_what_is_called_or_comes_with_python() -> None:
    calls = {"add": call_of("shop.tasks:add"), "all": call_of("shop.tasks:Mail().send"), "mail": call_of("shop:add")}
    assert function_names(list(calls.items()), {"shop"}) == ["scheduled_add", "scheduled_all", "mail"]


def test_what_no_import_statement_leads_to_is_left_out() -> None:
    (left,) = named([replace(ONE, call=call_of("old-jobs:clear"))])
    assert isinstance(left, LeftOut)
    assert left.problem.startswith("no module can say 'import old-jobs'")
