"""Notes say where a page's claims are seen to be true: in a test, in code or in a figure. It is there."""

import pytest

from tests.docs.pages import PAGES, ROOT
from tests.docs.references import CODE, NOTE, look_up, notes

WITH_NOTES = {str(page.relative_to(ROOT)): page for page in PAGES if notes(page)}


@pytest.mark.parametrize("page", WITH_NOTES)
def test_each_note_is_there_and_used(page):
    before, _, _ = WITH_NOTES[page].read_text().partition("\n[^")
    assert set(NOTE.findall(before)) == set(notes(WITH_NOTES[page]))


@pytest.mark.parametrize("page", WITH_NOTES)
def test_each_note_refers_to_something(page):
    assert [name for name, text in notes(WITH_NOTES[page]).items() if not CODE.search(text)] == []


@pytest.mark.parametrize(
    "reference",
    sorted({code for page in WITH_NOTES.values() for note in notes(page).values() for code in CODE.findall(note)}),
)
def test_what_a_note_refers_to_is_there(reference):
    look_up(reference)


def test_the_site_knows_notes():
    """Without that extension it shows them as they are written."""
    assert "\n  - footnotes\n" in (ROOT / "mkdocs.yml").read_text()
