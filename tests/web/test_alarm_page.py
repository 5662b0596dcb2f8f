"""The alarm on the live page, in a real browser."""

import re
import sqlite3

import pytest
from playwright.sync_api import expect

from alarm.codes import hashed
from tests.support.site import Site

PATIENCE = 20_000  # milliseconds
PHONE = {"width": 360, "height": 740}
CODE = "258013"


@pytest.fixture(scope="module")
def site(people, tmp_path_factory):
    """A running deployment in which somebody has a code."""
    site = Site(tmp_path_factory.mktemp("alarm"), people)
    database = sqlite3.connect(site.database_url.removeprefix("sqlite:///"))
    with database:
        database.execute(
            "INSERT INTO alarm_alarmcode (label, hash, enabled, may_arm, may_disarm, created_at)"
            " VALUES ('Anna', ?, 1, 1, 1, '2026-01-01')",
            [hashed(CODE)],
        )
    database.close()
    with site:
        yield site


@pytest.fixture
def open_page(browser, site):
    """Return a function that opens the live page as a resident."""
    contexts = []

    def open_it(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        cookie = site.cookie("resident").partition("=")[2]
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.url}])
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(site.url)
        return page

    yield open_it
    for context in contexts:
        context.close()


def shows(page, word):
    expect(page.locator("#panel .is")).to_have_text(word, timeout=PATIENCE)


def disarm(page, code):
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Disarm").click()


def test_somebody_arms_sees_the_countdown_and_disarms(open_page):
    page, other = open_page(), open_page(viewport=PHONE, color_scheme="dark")
    expect(other.locator("#connection")).to_have_text("Live", timeout=PATIENCE)

    page.get_by_role("button", name="Away").click()
    shows(page, "Arming away")
    shows(other, "Arming away")
    left = page.locator("#panel .for")
    expect(left).to_have_text(re.compile(r"^\d+ s to leave$"), timeout=PATIENCE)
    shown = left.inner_text()
    expect(left).not_to_have_text(shown, timeout=PATIENCE)
    assert other.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    disarm(page, "1111")
    expect(page.get_by_role("alert")).to_have_text("That code is not right", timeout=PATIENCE)
    expect(page.get_by_label("Code")).to_have_value("")
    shows(page, "Arming away")

    disarm(page, CODE)
    shows(page, "Disarmed")
    shows(other, "Disarmed")
    expect(page.get_by_role("alert")).to_have_text("")
    for number, text in enumerate(["Disarmed", "A wrong code", "Arming away: 60 s to leave"]):
        row = other.locator("#lately ol[data-key=events] .text").nth(number)
        expect(row).to_have_text(text, timeout=PATIENCE)


def test_it_works_without_script_too(open_page):
    page = open_page(java_script_enabled=False)

    page.get_by_role("button", name="Night").click()
    shows(page, "Arming night")
    disarm(page, "1111")
    expect(page.get_by_role("alert")).to_have_text("That code is not right", timeout=PATIENCE)
    disarm(page, CODE)
    shows(page, "Disarmed")
