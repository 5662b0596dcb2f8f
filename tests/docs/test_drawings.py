"""The drawings show what schedules and simulations answer today."""

import pytest

from tests.docs.drawings import DRAWINGS, FOLDER
from tests.docs.pages import DOCS


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_up_to_date(name: str) -> None:
    committed = (FOLDER / f"{name}.svg").read_text()
    assert committed == DRAWINGS[name]().svg(), "run: python -m tests.docs.drawings"


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_shown_and_described(name: str) -> None:
    page = (DOCS / "explanation" / "time.md").read_text()
    (words,) = [line for line in page.splitlines() if f"](../img/{name}.svg)" in line]
    assert len(words.partition("](")[0]) > 30, "who cannot see it is told what it shows"
