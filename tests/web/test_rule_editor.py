"""The editor of a rule's definition, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

VALID = '{"when": {"alarm": "disarmed"},\n"then": [{"type": "delay", "seconds": 5}]}'


@pytest.fixture
def page(site, browser):
    """The form of a new rule, as the administrator has it. Fails if the page's scripts do."""
    context = browser.new_context(base_url=site.url)
    name, _, key = site.cookie("admin").partition("=")
    context.add_cookies([{"name": name, "value": key, "url": site.url}])
    page = context.new_page()
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto("/admin/rules/rule/add/")
    yield page
    context.close()
    assert not failures


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
