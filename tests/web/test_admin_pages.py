"""The admin in a real browser: lists that fit, filters, the editor of a rule's definition."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support import django_process

LISTS = (
    "alarm/alarmevent", "asyncsched/lease", "asyncsched/loopstall", "asyncsched/replica", "asyncsched/taskrun",
    "asyncsched/taskskip", "asyncsched/taskstate", "asyncsched/term", "home/entity", "home/frigatedetection",
    "home/frigatereview", "notifications/notification", "retention/settingchange", "rules/rule", "rules/ruleactionlog",
    "rules/ruleentityref", "rules/ruleruntime",
)  # fmt: skip
VALID = '{"when": {"alarm": "disarmed"},\n"then": [{"type": "delay", "seconds": 5}]}'


@pytest.fixture
def admin(open_page, site):
    """A page of the administrator, of which the browser has nothing to complain."""
    page = open_page(site, path="/admin/", base_url=site.url, viewport={"width": 1280, "height": 900})
    yield page
    assert not page.complaints


@pytest.fixture(scope="module")
def filled(site):
    """Rows with long texts in every list."""
    django_process.output_of(Path(__file__).with_name("fill_lists.py"), database_url=site.database_url)


@pytest.mark.slow
def test_every_list_fits_a_window_of_1280_pixels_with_the_menu_and_the_filters(admin, filled):
    for name in LISTS:
        admin.goto(f"/admin/{name}/")
        table = admin.locator(".results")
        expect(table.locator("tbody tr")).not_to_have_count(0)
        assert table.evaluate("table => table.scrollWidth <= table.clientWidth"), name


@pytest.mark.slow
def test_the_long_names_of_processes_fit_a_phone(admin, filled):
    admin.set_viewport_size({"width": 390, "height": 844})
    for name in ("lease", "replica", "term"):
        admin.goto(f"/admin/asyncsched/{name}/")
        admin.locator(".results tbody th a").first.click()
        expect(admin.locator(".readonly").first).to_be_visible()
        assert admin.evaluate("document.documentElement.scrollWidth") <= 390, name


@pytest.mark.slow
def test_a_day_and_a_task_are_chosen_in_the_menus_above_a_list(admin, filled):
    admin.goto("/admin/asyncsched/taskrun/")
    admin.get_by_text("Time", exact=True).click()
    admin.get_by_label("Day").fill("2026-11-23")
    admin.get_by_role("button", name="Show").click()
    expect(admin.locator("#changelist-filter summary").first).to_have_text("Time: 2026-11-23")
    admin.get_by_text("Task", exact=True).click()
    admin.get_by_role("link", name="synchronise_everything_with_the_garden_house").click()

    expect(admin).to_have_url(re.compile(r"\?task=synchronise_everything_with_the_garden_house&when=2026-11-23$"))


@pytest.fixture
def page(admin):
    """The form of a new rule."""
    admin.goto("/admin/rules/rule/add/")
    return admin


@pytest.mark.slow
def test_a_mistake_is_told_while_one_types_and_its_line_can_be_gone_to(page):
    definition, answer = page.get_by_label("Definition"), page.locator(".definition .answer")
    definition.fill(VALID.replace("5", '"soon"'))

    expect(answer).to_have_text("Line 2 then[0].seconds: must be a number, not text")
    answer.get_by_role("button", name="Line 2").click()
    chosen = page.evaluate("() => document.activeElement.value.slice(document.activeElement.selectionStart, 61)")
    assert chosen.startswith('"then"')


@pytest.mark.slow
def test_a_definition_is_told_in_words_and_tidied_up_on_request_and_saved(page):
    definition = page.get_by_label("Definition")
    definition.fill(VALID)
    expect(page.locator("[data-words]")).to_have_text(re.compile(r"the alarm is disarmed\s+Then:\s+1\. wait 5 s"))
    page.get_by_role("button", name="Tidy up").click()

    expect(definition).to_have_value(re.compile(r'^\{\n  "when": \{\n    "alarm": "disarmed"\n  \},'))
    definition.press("Control+z")
    expect(definition).to_have_value(VALID)
    page.get_by_label("Name").fill("pause")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was added successfully")


@pytest.mark.slow
def test_tab_indents_and_after_escape_leaves_the_field(page):
    definition = page.get_by_label("Definition")
    definition.fill("")
    definition.press("Tab")
    definition.press_sequentially("{")
    expect(definition).to_have_value("  {")
    expect(definition).to_be_focused()

    definition.press("Escape")
    definition.press("Tab")
    expect(page.get_by_role("button", name="Tidy up")).to_be_focused()
    expect(definition).to_have_value("  {")


@pytest.mark.slow
def test_it_says_so_when_it_cannot_be_checked(page):
    page.context.set_offline(True)
    page.get_by_label("Definition").fill("{")

    expect(page.locator(".definition .answer")).to_have_text("It could not be checked now; it will be when you save.")
    page.complaints.clear()  # it tells that the network is away
