"""``make screenshots``: the pictures in docs/img, taken of the demo by a real browser and on a real terminal.

The demo has its own database in a temporary folder, with a past (``past_hour``): nobody wants to
wait an hour for a picture of one.
"""

import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, expect
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from tests.support.browser import running_browser
from tests.support.django_process import ROOT, environment, output_of
from tests.support.ports import free_port

PICTURES = ROOT / "docs" / "img"
DESK = {"width": 1280, "height": 960}
PHONE = {"width": 390, "height": 844}
PATIENCE = 60_000  # milliseconds
COLUMNS = 112
PLACES = {str(ROOT): "/srv/alarm", sys.base_prefix: "/usr"}  # what the machine of the pictures calls its folders
# Without the fonts that rich would have a browser fetch from elsewhere.
SVG = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    """Take every picture anew."""
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        database = Path(folder) / "demo.sqlite3"
        url = f"sqlite:///{database}"
        line = output_of(Path(__file__).with_name("past_hour.py"), database_url=url)
        password = re.search(r"password: (\S+)", line)
        assert password, line
        let_one_fail(url)
        with demo(database) as site:
            wait_until_it_lives(browser, site, password[1])
            take_all(browser, site, password[1])
            take_terminal(url, "async_tasks", "list")


def let_one_fail(database_url: str) -> None:
    """Run a task whose Home Assistant is not there."""
    port = free_port()
    settings = {"HOME_ASSISTANT_URL": f"http://127.0.0.1:{port}", "HOME_ASSISTANT_TOKEN": "none"}
    command = [sys.executable, "manage.py", "async_tasks", "run", "sync_entity_states"]
    subprocess.run(command, cwd=ROOT, env=environment(database_url, **settings), check=False, capture_output=True)


@contextmanager
def demo(database: Path) -> Iterator[str]:
    """Run the demo on *database*; yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "demo", "--port", str(port), "--database", str(database), "--speed", "2"]
    settings = environment(f"sqlite:///{database}", DEBUG="1", LOG_LEVEL="ERROR")
    process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def signed_in(browser: Browser, site: str, password: str, **options) -> Page:
    """Open the live page as the administrator."""
    page = browser.new_context(device_scale_factor=1, **options).new_page()
    deadline = time.monotonic() + PATIENCE / 1000
    while True:  # the server may still be starting
        try:
            page.goto(f"{site}/login/")
            break
        except Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password)
    page.click("[type=submit]")
    is_live(page)
    return page


def is_live(page: Page) -> None:
    """Wait until *page* is connected."""
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE)


def wait_until_it_lives(browser: Browser, site: str, password: str) -> None:
    """Wait until doors have opened, a rule has fired and the phone has rung."""
    page = signed_in(browser, site, password)
    expect(page.locator("#lately")).to_contain_text("Garden", timeout=PATIENCE)
    page.context.close()


def take_all(browser: Browser, site: str, password: str) -> None:
    """Take each page on a desk, the first ones at night and on a phone, too."""
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        page = signed_in(browser, site, password, color_scheme=scheme, viewport=DESK)
        take(page, f"live-page{suffix}")
        open_tasks(page, site)
        take(page, f"tasks{suffix}", whole=True)
    page = signed_in(browser, site, password, viewport=DESK)
    page.goto(f"{site}/tasks/sync_entity_states/")
    take(page, "task", whole=True)
    page.locator("tr", has_text="failed").first.locator("a").first.click()
    page.wait_for_url("**/runs/**")
    for here, elsewhere in PLACES.items():
        page.eval_on_selector(
            "pre", "(text, [a, b]) => { text.textContent = text.textContent.replaceAll(a, b); }", [here, elsewhere]
        )
    take(page, "run", whole=True)
    page.goto(f"{site}/admin/rules/rule/")
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("body")).to_contain_text("Would it fire now?")
    take(page, "rule", whole=True)
    page = signed_in(browser, site, password, viewport=PHONE, is_mobile=True)
    open_tasks(page, site)
    take(page, "tasks-phone")


def open_tasks(page: Page, site: str) -> None:
    """Open the page of tasks, and wait until it counts down."""
    page.goto(f"{site}/tasks/")
    is_live(page)
    expect(page.locator("tr[data-task=sync_entity_states] [data-cell=next] .relative")).to_contain_text("in ")


def take(page: Page, name: str, *, whole: bool = False) -> None:
    """Write what *page* shows, or the *whole* of it, to docs/img."""
    page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
    sys.stdout.write(f"docs/img/{name}.png\n")


def take_terminal(database_url: str, *words: str) -> None:
    """Draw what ``manage.py`` shows on a terminal."""
    ours, theirs = pty.openpty()
    settings = environment(database_url, COLUMNS=str(COLUMNS), TERM="xterm-256color")
    settings.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=settings, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while part := _read(ours):
        shown += part
    process.wait(timeout=30)
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor", force_terminal=True)
    console.print(Text.from_ansi(shown.decode().replace("\r\n", "\n").rstrip() + "\n"), no_wrap=True)
    title = " ".join(["python manage.py", *words])
    (PICTURES / "terminal.svg").write_text(console.export_svg(title=title, code_format=SVG, unique_id="terminal"))
    sys.stdout.write("docs/img/terminal.svg\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the process has ended
        return b""


if __name__ == "__main__":
    main()
