"""The live page in a real browser."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.home_assistant import HomeAssistantServer
from tests.support.make_people import PASSWORD
from tests.support.site import Site

PATIENCE = 20_000  # milliseconds
PHONE = {"width": 360, "height": 740}
TASKS = 11  # the alarm's ten, and the scheduler's own


@pytest.fixture
def home_assistant():
    with HomeAssistantServer() as server:
        yield server


def card(page, key):
    return page.locator(f".card[data-key={key}]")


def row(page, task):
    return page.locator(f"tr[data-task={task}]")


def is_live(page):
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)


@pytest.mark.parametrize("person", ["admin", "resident"])
def test_the_page_goes_live_without_a_complaint(site, open_page, person):
    page = open_page(site, person)

    is_live(page)
    expect(page.locator("tr[data-task]")).to_have_count(TASKS)
    expect(card(page, "mqtt").locator(".word")).to_have_text("Not configured")
    expect(card(page, "scheduler").locator(".word")).to_have_text("Running")
    assert page.complaints == []


def test_a_run_shows_up_by_itself(site, open_page):
    page = open_page(site)

    expect(row(page, "broadcast_system_status")).to_contain_text("succeeded", timeout=PATIENCE)
    expect(row(page, "broadcast_system_status")).to_contain_text("just now")


def test_the_time_to_the_next_run_is_counted_down(site, open_page):
    page = open_page(site)
    countdown = row(page, "check_home_assistant").locator("[data-cell=next] .relative")

    expect(countdown).to_have_text(re.compile(r"in \d+ s|now"), timeout=PATIENCE)
    shown = countdown.inner_text()

    expect(countdown).not_to_have_text(shown, timeout=PATIENCE)


def test_a_browser_whose_clock_is_wrong_counts_right(site, open_page):
    page = open_page(site)
    page.add_init_script("const now = Date.now; Date.now = () => now() + 3 * 3600_000;")
    page.reload()
    is_live(page)

    expect(row(page, "broadcast_system_status")).to_contain_text("just now", timeout=PATIENCE)


def test_the_page_comes_back_after_the_server_does(people, tmp_path, open_page):
    with Site(tmp_path / "site", people) as site:
        page = open_page(site)
        is_live(page)
        site.server.stop()
        expect(page.locator("#connection")).to_contain_text("The server has not answered since", timeout=PATIENCE)
        site.start()
        is_live(page)
        expect(card(page, "scheduler").locator(".word")).to_have_text("Running")


def test_someone_who_was_signed_out_is_told_so(site, open_page):
    page = open_page(site, "resident")
    is_live(page)
    page.context.clear_cookies()
    page.evaluate("dispatchEvent(new Event('online'))")

    expect(page.locator("#connection a")).to_have_text("Signed out: sign in again", timeout=PATIENCE)


def test_home_assistant_is_shown_as_it_is(people, tmp_path, open_page, home_assistant):
    configured = {"HOME_ASSISTANT_URL": home_assistant.url, "HOME_ASSISTANT_TOKEN": home_assistant.token}
    with Site(tmp_path / "site", people, **configured) as site:
        page = open_page(site)
        expect(card(page, "home_assistant").locator(".word")).to_have_text("Reachable", timeout=PATIENCE)
        expect(card(page, "home_assistant").locator(".detail")).to_contain_text("Version 2025.4.0")


def test_a_card_of_what_is_no_longer_in_the_settings_does_not_stop_the_others(site, open_page):
    page = open_page(site)
    is_live(page)
    page.evaluate("""() => {
        const card = document.querySelector(".card[data-key=mqtt]").cloneNode(true);
        card.dataset.key = "zigbee2mqtt";
        document.getElementById("cards").prepend(card);
        document.querySelector(".card[data-key=scheduler] .word").textContent = "";
    }""")

    expect(card(page, "scheduler").locator(".word")).to_have_text("Running", timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(site, open_page, scheme):
    page = open_page(site, viewport=PHONE, color_scheme=scheme)
    is_live(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(json.loads(f"[{background.removeprefix('rgb(').removesuffix(')')}]")) / 3
    assert (lightness > 128) == (scheme == "light")


def test_without_script_the_page_is_a_plain_table(site, open_page):
    page = open_page(site, java_script_enabled=False)

    expect(page.locator("tr[data-task]")).to_have_count(TASKS)
    expect(row(page, "cleanup_old_events")).to_contain_text(re.compile(r"\w{3} \d+ \w{3}, 03:00 UTC"))


def test_people_sign_in_and_out_by_keyboard(site, browser):
    page = browser.new_page()
    page.goto(site.url)
    expect(page.get_by_label("Name")).to_be_focused(timeout=PATIENCE)
    page.keyboard.type("resident")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    is_live(page)

    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_label("Password")).to_be_visible(timeout=PATIENCE)
    page.close()


def test_a_page_that_is_live_asks_the_server_for_nothing(site, open_page):
    page = open_page(site)
    is_live(page)
    expect(row(page, "broadcast_system_status")).to_contain_text("just now", timeout=PATIENCE)
    page.wait_for_load_state("networkidle")
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.wait_for_timeout(5_000)

    assert asked == []
