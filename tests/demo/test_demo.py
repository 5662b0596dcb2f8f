"""``make demo`` as a newcomer has it: one command, a page, and things that happen."""

import re
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.support.servers import Kind, Server

pytestmark = pytest.mark.e2e

NEWEST_CHANGE = "SELECT max(last_changed) FROM home_entity"
FIRED = "SELECT DISTINCT name FROM rules_rule JOIN rules_ruleactionlog ON rule_id = rules_rule.id"
PASSWORD = re.compile(r"^Sign in as admin, password: (\S+)$", re.MULTILINE)


@pytest.fixture
def database(tmp_path):
    return tmp_path / "demo.sqlite3"


@pytest.fixture
def demo(tmp_path, database):
    """The demo as a process, ten times as fast, and with a database of its own."""
    arguments = ("-m", "demo", "--port", "{port}", "--speed", "10", "--database", str(database))
    with Server(Kind(name="demo", arguments=arguments), folder=tmp_path, environment={"PYTHONDEVMODE": "1"}) as server:
        yield server


def home_of(server):
    """Return the simulated home's process, if there is one: its arguments name the page."""
    page = f"--page\0http://127.0.0.1:{server.port}\0".encode()
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just gone
            found += [int(file.parent.name)] if page in file.read_bytes() else []
    return found


def wait_until_gone(server):
    deadline = time.monotonic() + 10
    while home_of(server):
        assert time.monotonic() < deadline, "the simulated home has outlived the server"
        time.sleep(0.02)


def rows(database, statement):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


async def sign_in(client, password):
    async with client.get("/login/") as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await page.text())[1]
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token}
    async with client.post("/login/", data=form) as answer:
        assert (answer.status, answer.url.path) == (200, "/")


async def test_a_newcomer_sees_entities_change_a_rule_fire_and_a_notification_arrive(demo, database):
    demo.wait_until_logged("ready: open http://127.0.0.1:")
    status = await status_page(demo)
    assert (status["home_assistant"]["reachable"], status["home_assistant"]["error"]) == (True, None)
    before = rows(database, NEWEST_CHANGE)
    demo.wait_until_logged(" home: Home Assistant is told light.turn_on: Hall light")
    demo.wait_until_logged("phone: Front door: It has been open")
    demo.wait_until(lambda: rows(database, NEWEST_CHANGE) > before)
    assert {("Light in the hall",), ("Front door left open",)} <= set(rows(database, FIRED))

    assert demo.stop() == 0
    wait_until_gone(demo)
    assert (demo.leaks, "Traceback" in demo.log, "outage" in demo.log) == ([], False, False)

    demo.start()
    demo.wait_until_logged("ready: open", times=2)
    assert home_of(demo)
    demo.send_to_all(signal.SIGINT)  # as a terminal does for Ctrl-C
    assert demo.exit_code() == 0
    wait_until_gone(demo)
    assert len(PASSWORD.findall(demo.log)) == 1
    assert "with the password of the first start" in demo.log


async def status_page(demo):
    """Sign in with the password that was shown, and return the first status that knows of Frigate."""
    url = f"http://127.0.0.1:{demo.port}"
    async with aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        await sign_in(client, PASSWORD.search(demo.log)[1])
        async with client.ws_connect("/ws/status/", origin=url) as socket:
            while True:
                message = await socket.receive_json(timeout=10)
                if message["type"] == "system_status" and message["payload"]["frigate"]["available"]:
                    return message["payload"]
