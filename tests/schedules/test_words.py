"""Lengths of time in words."""

import pytest

from asyncsched.schedules.words import duration, number


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.0005, "0.5 ms"),
        (1, "1 s"),
        (59.5, "59.5 s"),
        (60, "1 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h 1 min 1 s"),
    ],
)
def test_a_length_of_time_is_said_briefly(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, "0.2"), (20.0, "20"), (1e-6, "0.000001"), (1e-7, "0"), (1e6, "1000000")]
)
def test_a_number_is_written_to_the_sixth_place(value: float, text: str) -> None:
    assert number(value) == text
