"""The table of differences, as text."""

import re
from dataclasses import replace

from asyncsched.migrating.code import call_of
from asyncsched.migrating.contrasts import contrasted
from asyncsched.migrating.found import Difference, Found, Topic
from asyncsched.schedules import Every

MISSED = Difference(topic=Topic.MISSED, there="it is lost", here="it is made up for")
STEPS = Difference(topic=Topic.STEPS, there="when somebody looks", here="at the time itself")
ONE = Found(name="a", source="", call=call_of("os:getcwd"), schedule=Every(60), differences=(MISSED,))


def table(*found: Found, width: int = 80) -> list[list[str]]:
    """Return the lines of the table, each as its cells."""
    lines = contrasted(found, scheduler="other", width=width).splitlines()
    return [re.split(" {2,}", line) for line in lines]


def named(names: str, *differences: Difference) -> list[Found]:
    return [replace(ONE, name=name, differences=differences) for name in names]


def test_a_difference_of_all_tasks_is_told_once() -> None:
    assert table(*named("abc", MISSED)) == [
        ["WHAT", "OTHER", "ASYNCSCHED"],
        ["missed", "it is lost", "it is made up for"],
    ]


def test_a_difference_of_some_names_them() -> None:
    assert table(*named("a", STEPS), *named("bcd"))[1:] == [
        ["steps:", "when somebody looks", "at the time itself"],
        [" a"],
    ]


def test_a_difference_of_most_names_the_others() -> None:
    lines = table(*named("abc", STEPS), *named("d"))
    assert [line[0] for line in lines[1:]] == ["steps, all but:", " d"]


def test_of_many_names_some_are_told_and_the_rest_is_counted() -> None:
    lines = table(*named("abcdef", STEPS), *named("ghijklm"))
    assert [line[0] for line in lines[2:]] == [" a", " b", " c", "and 3 more"]


def test_differences_are_in_the_order_of_the_topics() -> None:
    assert [line[0] for line in table(*named("a", MISSED, STEPS))[1:]] == ["steps", "missed"]


def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost() -> None:
    there, here = "as soon as " * 20, "never " * 30
    wide = Difference(topic=Topic.INTERVAL, there=there, here=here)
    for width in (60, 80, 100):
        text = contrasted(named(["a_name_that_is_rather_long"], wide) + named("b"), scheduler="other", width=width)
        assert max(map(len, text.splitlines())) <= width
        assert (text.count("soon"), text.count("never")) == (20, 30)


def test_nothing_that_differs_is_no_table() -> None:
    assert contrasted(named("a"), scheduler="other", width=80) == ""
