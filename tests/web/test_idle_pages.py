"""A page that is left open costs little: in the background nothing, and where the server fails ever less."""

import pytest
from playwright.sync_api import expect

PATIENCE = 30_000  # milliseconds
TEN_MINUTES = """async ({ error, every }) => {
  const { Refused, Rhythm } = await import("/static/asyncsched/refresh.js");
  const rhythm = new Rhythm({ every: 60_000, soonest: 5_000, writtenAfter: 1_500 });
  const start = Date.now();
  let count = 0;
  for (let second = 1; second <= 600; second++) {
    Date.now = () => start + second * 1000;
    if (every && second % every === 0) rhythm.hear(`run ${second}`);
    if (!rhythm.isDue) continue;
    count++;
    rhythm.begin();
    rhythm.end({ refused: new Refused(), failed: new Error() }[error]);
  }
  return count;
}"""


@pytest.fixture
def page(project, open_page):
    page = open_page(project, path="/tasks/")
    page.set_default_timeout(PATIENCE)
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)
    return page


def fetched_in_ten_minutes(page, *, error="", every=0):
    """How often something is fetched while there is news *every* so many seconds, and each time *error* comes of it."""
    return page.evaluate(TEN_MINUTES, {"error": error, "every": every})


def test_a_page_in_the_background_asks_for_nothing_and_catches_up_when_it_is_looked_at(page):
    page.wait_for_load_state("networkidle")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    # As in Chromium after five minutes in the background: a second lasts a minute.
    page.evaluate("""() => new Promise((resolve) => {
        const now = Date.now;
        let count = 0;
        Date.now = () => { if (++count === 8) resolve(); return now() + 60_000 * count; };
    })""")
    assert asked == []

    with page.expect_request("**/tasks.json"):
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")


def test_without_news_the_timeline_is_fetched_once_a_minute(page):
    assert fetched_in_ten_minutes(page) == 10


def test_with_news_all_the_time_it_is_fetched_every_few_seconds(page):
    assert 60 <= fetched_in_ten_minutes(page, every=1) <= 120


def test_a_server_that_does_not_answer_is_asked_ever_more_seldom(page):
    assert 9 <= fetched_in_ten_minutes(page, error="failed") <= 15


def test_a_server_that_refuses_is_not_asked_again(page):
    assert fetched_in_ten_minutes(page, error="refused", every=1) == 1


def test_news_of_days_in_the_background_take_no_room(page):
    heard = """async () => {
      const { Rhythm } = await import("/static/asyncsched/refresh.js");
      const rhythm = new Rhythm({ every: 1e9, soonest: 0, writtenAfter: 0 });
      for (let run = 0; run < 300_000; run++) rhythm.hear(`run ${run}`);
      return rhythm.isDue;
    }"""

    assert page.evaluate(heard) is True
