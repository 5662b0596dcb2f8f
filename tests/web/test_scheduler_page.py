"""The scheduler's own live page in a real browser, in a project that knows nothing of the alarm."""

import re
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.web.scheduler_site import SchedulerSite

PATIENCE = 30_000  # milliseconds
PASSWORD = "correct horse battery staple"
ASKS = "Brought up to date every 30 s"
LOST = re.compile(r"The server has not answered since \d\d:\d\d:\d\d UTC. Trying again …")


@pytest.fixture(scope="module")
def quiet(prepared, tmp_path_factory):
    """The project without a channel layer, and without a process that schedules."""
    with SchedulerSite(tmp_path_factory.mktemp("quiet"), prepared, WITH_SCHEDULER="0", WITH_LAYER="0") as running:
        yield running


@pytest.fixture
def open_live(open_page):
    """Return a function that opens the live page as somebody, and returns it once it is live."""

    def open_it(site, person="admin", *, says="Live", **options):
        page = open_page(site, person, "/tasks/", **options)
        page.set_default_timeout(PATIENCE)
        expect(page.locator("#connection")).to_have_text(says, timeout=PATIENCE)
        return page

    return open_it


def row(page, task="count_to_ten"):
    return page.locator(f'tr[data-task="{task}"]')


def shows(page, text, task="count_to_ten"):
    expect(row(page, task)).to_contain_text(text, timeout=PATIENCE)


def press(page, verb, task="count_to_ten"):
    row(page, task).locator(f"[data-verb={verb}]").click()


def confirm(page, name):
    page.get_by_role("dialog").get_by_role("button", name=name).click()


def says(page, text):
    expect(page.locator("#tasks-answer")).to_have_text(text, timeout=PATIENCE)


def test_somebody_signs_in_through_the_form_and_sees_countdowns_move(project, browser):
    page = browser.new_page()
    page.goto(f"{project.url}/tasks/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)

    countdown = row(page).locator("[data-cell=next] .relative")
    expect(countdown).to_have_text(re.compile(r"in (\d+ min)?( ?\d+ s)?"), timeout=PATIENCE)
    shown = countdown.inner_text()
    expect(countdown).not_to_have_text(shown, timeout=PATIENCE)
    page.close()


def test_a_run_by_button_is_watched_from_start_to_end_on_every_page(project, open_live):
    page, other = open_live(project), open_live(project, "viewer")
    project.allow(3)
    bars = row(page).locator(".spark .good").get_attribute("d").count("M")

    press(page, "run")
    expect(page.get_by_role("dialog")).to_contain_text("Run count_to_ten now?")
    page.keyboard.press("Escape")
    expect(row(page).locator("[data-verb=run]")).to_be_focused()
    press(page, "run")
    confirm(page, "Run now")

    says(page, "count_to_ten is to run now.")
    for one in (page, other):
        shows(one, "running")
        shows(one, "3 of 10")
        expect(row(one).get_by_role("progressbar")).to_have_attribute("value", "3", timeout=PATIENCE)
    project.allow(10)
    for one in (page, other):
        shows(one, re.compile("succeeded.*took"))
        expect(row(one).locator(".asked")).to_have_count(0)
    assert row(page).locator(".spark .good").get_attribute("d").count("M") == bars + 1
    assert page.complaints == other.complaints == []

    row(page).get_by_role("link", name="succeeded").click()
    expect(page.locator("main")).to_contain_text("by hand", timeout=PATIENCE)


def test_who_opens_the_page_during_a_run_sees_how_far_it_is(project, open_live):
    page = open_live(project)
    project.allow(7)
    press(page, "run")
    confirm(page, "Run now")
    shows(page, "7 of 10")

    shows(open_live(project, "viewer"), "7 of 10")

    project.allow(10)
    shows(page, "succeeded")


def test_a_task_is_paused_and_resumed_by_keyboard_and_other_pages_see_it_at_once(project, open_live):
    page, other = open_live(project), open_live(project, "viewer")

    row(page, "fails").locator("[data-verb=pause]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    says(page, "fails is paused.")
    shows(other, "paused", "fails")
    expect(other.locator("[data-card=tasks] .detail")).to_contain_text("1 paused", timeout=PATIENCE)
    expect(row(page, "fails").locator("[data-verb=resume]")).to_be_focused(timeout=PATIENCE)

    page.keyboard.press("Enter")
    says(page, "fails is resumed.")
    expect(row(other, "fails").locator("[data-cell=next] time")).to_be_visible(timeout=PATIENCE)
    expect(row(page, "fails").locator("[data-verb=pause]")).to_be_focused(timeout=PATIENCE)


def test_a_failure_is_told_with_its_error_and_nothing_of_it_becomes_part_of_the_page(project, open_live):
    page = open_live(project)
    press(page, "run", "fails")
    confirm(page, "Run now")

    shows(page, "5 in a row", "fails")
    expect(row(page, "fails").locator(".error")).to_have_text("LookupError: there is nothing <here>")
    expect(page.locator("[data-card=tasks] .word")).to_contain_text("1 failing")


def test_a_name_may_be_long_and_have_a_slash(project, open_live):
    page = open_live(project)
    name = "nightly/of a very_long_name_that_nobody_would_ever_give_to_anything & more"
    shows(page, "disabled", name)

    press(page, "run", name)
    confirm(page, "Run now")
    shows(page, "succeeded", name)


def test_a_server_that_is_killed_is_missed_and_when_it_is_back_the_page_recovers_by_itself(
    prepared, tmp_path, open_live
):
    with SchedulerSite(tmp_path / "site", prepared) as site:
        page = open_live(site)
        site.server.send(signal.SIGKILL)
        expect(page.locator("#connection")).to_have_text(LOST, timeout=PATIENCE)
        expect(page.locator("#news")).to_have_text("Connection lost")
        press(page, "pause")
        confirm(page, "Pause")
        says(page, "The server could not be reached. Try again.")
        site.server.process.wait()

        site.start()
        expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)
        site.allow(10)
        press(page, "run")
        confirm(page, "Run now")
        shows(page, "just now")


def test_after_a_laptop_has_slept_the_page_catches_up_at_once(project, open_live):
    page = open_live(project)
    countdown = row(page).locator("[data-cell=next] .relative")
    minutes = re.compile(r"in (\d+) min")
    before = int(minutes.match(countdown.inner_text())[1]) if minutes.match(countdown.inner_text()) else 0
    with page.expect_request("**/tasks.json"):
        page.evaluate("const now = Date.now; Date.now = () => now() + 3 * 3600_000;")

    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)
    # The server's clock counts: neither three hours are gone, nor is anything due.
    expect(countdown).to_have_text(re.compile(rf"in ({before}|{before - 1}) min|in \d+ s|now"), timeout=PATIENCE)


def test_a_run_that_nobody_begins_is_not_silently_waited_for(quiet, open_live):
    page = open_live(quiet, says=ASKS)
    expect(page.locator("[data-card=scheduler] .word")).to_have_text("Not running")
    press(page, "run")
    confirm(page, "Run now")
    shows(page, "asked to run")  # now; or already for longer, where everything is slow

    with closing(sqlite3.connect(quiet.database, timeout=20)) as database, database:
        asked = (datetime.now(UTC) - timedelta(seconds=30)).strftime("%Y-%m-%d %H:%M:%S")
        database.execute("UPDATE asyncsched_taskstate SET run_asked_at = ? WHERE task = 'count_to_ten'", [asked])
    page.reload()
    shows(page, "nothing has begun it: no process runs the scheduler")


def test_without_a_channel_layer_the_page_asks_now_and_then(quiet, open_live):
    page = open_live(quiet, says=ASKS)

    press(page, "pause", "fails")
    confirm(page, "Pause")
    shows(page, "paused", "fails")


def test_nor_does_the_page_of_a_task_claim_that_the_server_is_away(quiet, open_page):
    page = open_page(quiet, path="/tasks/count_to_ten/")
    expect(page.locator("#connection")).to_have_text(ASKS, timeout=PATIENCE)

    page.get_by_role("button", name="Run now").click()
    confirm(page, "Run now")
    expect(page.locator("#current")).to_contain_text("asked at", timeout=PATIENCE)
    expect(page.locator("#current")).to_have_attribute("data-busy", "")
    assert page.complaints == []


def test_without_a_script_the_page_is_a_plain_table_with_buttons_that_work(project, open_page):
    page = open_page(project, path="/tasks/", java_script_enabled=False)
    shows(page, re.compile(r"\w{3} \d+ \w{3}, \d\d:\d\d UTC"))
    shows(page, "LookupError: there is nothing <here>", "fails")

    row(page, "tick").get_by_role("button", name="Pause").click()
    says(page, "tick is paused.")
    shows(page, "paused", "tick")
    row(page, "tick").get_by_role("button", name="Resume").click()
    says(page, "tick is resumed.")
