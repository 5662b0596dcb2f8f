"""Tables for terminals: what they leave out where there is little room."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from asyncsched.management.tables import Column, Table, about, columns, from_now

HEADS = (Column(name="NAME"), Column(name="COUNT", right=True), Column(name="SINCE"), Column(name="WHY"))
ROWS = (("a", "7", "yesterday", "it was so"), ("longer", "1200", "today", "nobody knows"))


def table(*heads: Column, rows: tuple[tuple[str, ...], ...]) -> Table:
    return Table(columns=heads, rows=rows)


def test_columns_are_aligned_and_numbers_to_the_right() -> None:
    assert table(*HEADS, rows=ROWS).plain().splitlines() == [
        "NAME    COUNT  SINCE      WHY",
        "a           7  yesterday  it was so",
        "longer   1200  today      nobody knows",
    ]


def test_spare_columns_go_one_by_one_until_the_rest_fits() -> None:
    name, count, since, why = HEADS
    some = table(name, replace(count, spare=1), replace(since, spare=2), why, rows=ROWS)
    headers = [some.plain(width).splitlines()[0] for width in (38, 37, 20)]
    assert [header.split() for header in headers] == [
        ["NAME", "COUNT", "SINCE", "WHY"],
        ["NAME", "COUNT", "WHY"],
        ["NAME", "WHY"],
    ]


def test_a_spare_column_stays_where_the_last_one_can_be_cut_instead() -> None:
    some = table(Column(name="NAME", spare=1), Column(name="WHY"), rows=(("a", "x" * 50),))
    assert some.plain(40).splitlines() == ["NAME  WHY", f"a     {'x' * 33}…"]


def test_the_last_column_is_cut_but_never_a_number() -> None:
    long = table(*columns("NAME", "WHY"), rows=(("a", "x" * 50),))
    assert max(map(len, long.plain(40).splitlines())) == 40
    number = table(Column(name="NAME"), Column(name="COUNT", right=True), rows=(("a", "1" * 50),))
    assert number.plain(40).endswith("1" * 50)


def test_a_name_is_cut_when_the_last_column_has_been() -> None:
    some = table(Column(name="NAME", is_name=True), Column(name="WHY"), rows=(("a" * 30, "x" * 50),))
    assert some.plain(40).splitlines()[1] == f"{'a' * 17}…  {'x' * 19}…"


def test_what_would_break_a_line_or_command_the_terminal_is_left_out() -> None:
    assert table(Column(name="NAME"), rows=(("a\nb\x1b[31m",),)).plain().splitlines() == ["NAME", "a b [31m"]


def test_without_rows_there_is_the_header() -> None:
    assert table(*columns("NAME", "WHY"), rows=()).plain() == "NAME  WHY"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (7300, "2 h"), (90_000, "1 d")],
)
def test_a_length_of_time_is_told_in_one_unit(seconds: float, words: str) -> None:
    assert about(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(("seconds", "words"), [(240, "in 4 min"), (0.5, "in 0 s"), (0, "0 s ago"), (-12, "12 s ago")])
def test_a_moment_is_told_by_how_far_away_it_is(seconds: float, words: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert from_now(now + timedelta(seconds=seconds), now) == words


def test_a_moment_that_there_is_not_is_a_dash() -> None:
    assert from_now(None, datetime(2026, 11, 23, tzinfo=UTC)) == "-"
