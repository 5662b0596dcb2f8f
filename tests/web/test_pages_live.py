"""The timeline and the pages of tasks and runs in a real browser: they stay current, and take nothing from anybody."""

import re

import pytest
from playwright.sync_api import expect

PATIENCE = 30_000  # milliseconds
TASK = "count_to_ten"


@pytest.fixture
def page_at(project, open_page):
    """Return a function that opens a page of the project and returns it once it is live."""

    def open_it(path):
        page = open_page(project, path=path)
        page.set_default_timeout(PATIENCE)
        expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)
        page.evaluate("window.isSamePage = true")
        return page

    return open_it


def run_now(page):
    page.locator("[data-verb=run]").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Run now").click()


def shows(page, text):
    expect(page.locator("#current")).to_contain_text(text, timeout=PATIENCE)


def test_a_run_is_begun_on_the_page_of_its_task_and_watched_on_its_own_until_it_ends(project, page_at):
    project.allow(3)
    page = page_at(f"/tasks/{TASK}/")
    run_now(page)
    going = page.locator(".runs tr", has_text="running")
    expect(going).to_be_visible(timeout=PATIENCE)
    shows(page, "A run goes on.")
    watched = page_at(going.get_by_role("link").get_attribute("href"))

    expect(watched.get_by_role("progressbar")).to_have_attribute("value", "3", timeout=PATIENCE)
    shows(watched, "3 of 10")
    shows(watched, re.compile(r"running\s+for \d+ s"))
    project.allow(7)
    shows(watched, "7 of 10")
    project.allow(10)

    shows(watched, re.compile(r"succeeded\s+after"))
    expect(watched.locator("#news")).to_have_text("The run has ended: succeeded")
    expect(watched.get_by_role("progressbar")).to_have_count(0)
    shows(page, "It runs at its next occurrence.")
    expect(going).to_have_count(0)
    assert all(one.evaluate("window.isSamePage") for one in (watched, page))
    assert watched.complaints == page.complaints == []


def test_a_task_is_paused_on_its_page_and_the_focus_stays(page_at):
    page = page_at("/tasks/fails/")

    page.locator("[data-verb=pause]").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    shows(page, "It does not run until somebody resumes it.")
    expect(page.locator("#tasks-answer")).to_have_text("fails is paused.")

    page.locator("[data-verb=resume]").click()
    shows(page, "It runs at its next occurrence.")


def test_a_socket_that_has_fallen_silent_is_replaced_once_the_server_is_missed(page_at):
    page = page_at("/tasks/fails/")
    sockets = []

    def first_one_falls_silent(socket):
        sockets.append(socket)
        is_first = len(sockets) == 1
        server = socket.connect_to_server()
        server.on_message(lambda text: None if is_first else socket.send(text))

    page.route_web_socket("**/ws/runs/", first_one_falls_silent)
    page.reload()
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)
    page.route("**/tasks/fails/", lambda route: route.abort())
    page.locator("[data-verb=pause]").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("#tasks-answer")).to_have_text("fails is paused.", timeout=PATIENCE)

    page.unroute("**/tasks/fails/")
    shows(page, "It does not run until somebody resumes it.")
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)
    assert len(sockets) >= 2
    page.locator("[data-verb=resume]").click()
    shows(page, "It runs at its next occurrence.")


def test_a_text_that_somebody_marks_is_left_alone_for_so_long(project, page_at):
    page = page_at("/tasks/tick/")
    heard = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: heard.append(str(text))))
    page.reload()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.coming'))")
    shown = page.locator(".coming").evaluate_handle("(list) => list")
    project.server.wait_until(lambda: page.title() and len(heard) > 8)  # two messages a second

    assert page.evaluate("(list) => list.isConnected && String(getSelection()).includes('UTC')", shown)
    page.evaluate("getSelection().empty()")
    page.wait_for_function("(list) => !list.isConnected", arg=shown, timeout=PATIENCE)


def test_a_traceback_can_be_copied_also_where_a_page_may_not_write_to_the_clipboard(project, open_page):
    page = open_page(project, path="/tasks/fails/")
    page.locator(".runs").get_by_role("link").last.click()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")

    page.get_by_role("button", name="Copy").first.click()

    assert page.evaluate("String(getSelection())").startswith("Traceback (most recent call last):")


def test_a_run_appears_in_the_timeline_by_itself_and_the_keyboard_goes_from_run_to_run(project, page_at):
    project.allow(10)
    page = page_at("/tasks/")
    runs = page.locator(f"#timeline li[data-task={TASK}] .track a")
    before = runs.count()
    page.locator(f"tr[data-task={TASK}] [data-verb=run]").click()
    page.get_by_role("dialog").get_by_role("button", name="Run now").click()
    expect(runs).to_have_count(before + 1, timeout=PATIENCE)

    runs.last.focus()

    expect(page.locator("#timeline .readout")).to_have_text(re.compile(rf"{TASK}: \d\d:\d\d:\d\d, succeeded, after"))
    page.keyboard.press("Home")
    expect(runs.first).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("by hand", timeout=PATIENCE)


def test_the_present_moves_on(page_at):
    page = page_at("/tasks/")
    present = page.locator("#timeline .present")
    place = present.get_attribute("x1")

    expect(present).not_to_have_attribute("x1", place, timeout=PATIENCE)


def test_on_a_phone_the_timeline_scrolls_in_its_own_box_and_begins_at_the_present(page_at):
    page = page_at("/tasks/")
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()

    scroller = page.locator("#timeline .scroller")
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)
    left, hidden = scroller.evaluate("(box) => [box.scrollLeft, box.scrollWidth - box.clientWidth]")
    assert hidden > 200
    assert abs(left - hidden / 2) <= 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_a_script_each_bar_still_leads_to_its_run(project, open_page):
    page = open_page(project, path="/tasks/fails/", java_script_enabled=False)
    page.get_by_role("button", name="Run now").click()
    bars = page.locator("#timeline li[data-task=fails] .track a", has=page.locator(".failed"))

    def is_drawn():
        page.goto(f"{project.url}/tasks/")
        return bars.count() > 0

    project.server.wait_until(is_drawn)
    bars.last.click()

    expect(page.locator("main")).to_contain_text("LookupError: there is nothing <here>")
