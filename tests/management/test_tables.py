"""Tables for terminals: what they leave out where there is little room."""

from datetime import timedelta

import pytest

from asyncsched.management.tables import about, table

HEADER = ("NAME", "COUNT", "SINCE", "WHY")
ROWS = [("a", "7", "yesterday", "it was so"), ("longer", "1200", "today", "nobody knows")]


def test_columns_are_aligned_and_numbers_to_the_right() -> None:
    assert table(HEADER, ROWS, right={"COUNT"}).splitlines() == [
        "NAME    COUNT  SINCE      WHY",
        "a           7  yesterday  it was so",
        "longer   1200  today      nobody knows",
    ]


def test_spare_columns_go_one_by_one_until_the_rest_fits() -> None:
    headers = [table(HEADER, ROWS, width=width, spare=("SINCE", "COUNT")).splitlines()[0] for width in (38, 37, 20)]
    assert [header.split() for header in headers] == [
        ["NAME", "COUNT", "SINCE", "WHY"],
        ["NAME", "COUNT", "WHY"],
        ["NAME", "WHY"],
    ]


def test_the_last_column_is_cut_but_never_a_number() -> None:
    long = [("a", "x" * 50)]
    assert max(map(len, table(("NAME", "WHY"), long, width=40).splitlines())) == 40
    assert table(("NAME", "COUNT"), [("a", "1" * 50)], width=40, right={"COUNT"}).endswith("1" * 50)


def test_what_would_break_a_line_or_command_the_terminal_is_left_out() -> None:
    assert table(("NAME",), [("a\nb\x1b[31m",)]).splitlines() == ["NAME", "a b [31m"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (7300, "2 h"), (90_000, "1 d")],
)
def test_a_length_of_time_is_told_in_one_unit(seconds: float, words: str) -> None:
    assert about(timedelta(seconds=seconds)) == words
