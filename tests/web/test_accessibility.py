"""The pages are for everybody: axe-core finds nothing serious in any width or colours, and the keyboard is enough."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PATIENCE = 30_000  # milliseconds
WIDTHS = (1280, 360)
SCHEMES = ("light", "dark")
GRAVE = {"serious", "critical"}
FOCUSABLE = """[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.tabIndex >= 0
        && !(element instanceof HTMLInputElement && element.type === "hidden"))"""
NAMED = "(element) => (element.ariaLabel || element.textContent || element.id || element.className).trim()"


def found_in(page):
    """Return what axe-core finds serious or critical, in both schemes and widths."""
    axe, found = Axe(), []
    for scheme in SCHEMES:
        for width in WIDTHS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            violations = axe.run(page).response["violations"]
            found += [
                f"{scheme}, {width} px: {one['id']}: {one['nodes'][0]['html'][:200]}"
                for one in violations
                if one["impact"] in GRAVE
            ]
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"wider than {width} px"
    return found


def is_live(page):
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)


def pause(page, task):
    page.locator(f'tr[data-task="{task}"] [data-verb=pause]').click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator(f'tr[data-task="{task}"] [data-cell=next]')).to_have_text("paused", timeout=PATIENCE)


def begin(page):
    page.locator("tr[data-task=count_to_ten] [data-verb=run]").click()
    page.get_by_role("dialog").get_by_role("button", name="Run now").click()
    expect(page.get_by_role("progressbar")).to_be_visible(timeout=PATIENCE)


def test_the_live_page_with_a_failure_a_pause_and_a_run_that_goes_on(project, open_page):
    page = open_page(project, path="/tasks/")
    is_live(page)
    pause(page, "fails")
    begin(page)

    assert found_in(page) == []
    page.locator("tr[data-task=fails] [data-verb=run]").click()
    assert found_in(page) == [], "with a question open"
    project.allow(10)


@pytest.mark.parametrize("path", ["/tasks/fails/", "/tasks/count_to_ten/"])
def test_the_page_of_a_task(project, open_page, path):
    assert found_in(open_page(project, path=path)) == []


def test_the_page_of_a_run_that_failed(project, open_page):
    page = open_page(project, path="/tasks/")
    is_live(page)
    page.locator("tr[data-task=fails]").get_by_role("link", name="failed").click()
    expect(page.locator("main")).to_contain_text("Traceback", timeout=PATIENCE)

    assert found_in(page) == []


def test_the_alarms_page(site, open_page):
    page = open_page(site)
    is_live(page)

    assert found_in(page) == []


def test_the_page_to_sign_in(site, browser):
    page = browser.new_page()
    page.goto(f"{site.url}/login/")

    assert found_in(page) == []
    page.close()


def test_the_keyboard_reaches_everything(project, open_page):
    page = open_page(project, path="/tasks/")
    is_live(page)
    wanted = set(page.evaluate(f"{FOCUSABLE}.map({NAMED})"))
    reached = set()
    for _ in range(len(wanted) * 2 + 20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(f"({NAMED})(document.activeElement)"))
        if wanted <= reached:
            break

    assert wanted - reached == set()


def test_the_first_key_leads_past_the_head_of_the_page(project, open_page):
    page = open_page(project, path="/tasks/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_news_are_announced_sparingly(project, open_page):
    page = open_page(project, path="/tasks/")
    heard = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: heard.append(str(text))))
    page.reload()
    is_live(page)

    def has_ticked_twice():
        return page.title() and sum('"tick"' in text and '"succeeded"' in text for text in heard) >= 2

    project.server.wait_until(has_ticked_twice)
    expect(page.locator("tr[data-task=tick] [data-cell=last]")).to_contain_text("succeeded", timeout=PATIENCE)

    assert page.locator("#news").inner_text() == ""


def test_who_wants_no_motion_gets_none(project, open_page):
    page = open_page(project, path="/tasks/", reduced_motion="reduce")
    is_live(page)

    assert page.evaluate("document.getAnimations().length") == 0
