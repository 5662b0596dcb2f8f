"""A change of the alarm on its way to clients of a running deployment."""

import json
import sqlite3

from tests.support.deadline import eventually
from tests.support.site import Site

PATIENCE = 10  # seconds
TOKEN = "t" * 32


def with_token(site, person):
    """Return a client whose cookies are those of a browser that has loaded the page."""
    client = site.client()
    client.headers["Cookie"] = f"{site.cookie(person)}; csrftoken={TOKEN}"
    client.headers["X-CSRFToken"] = TOKEN
    return client


async def change(client, verb, **data):
    async with client.post(f"/api/alarm/{verb}", json=data) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def receive(socket):
    return json.loads(await socket.receive_str(timeout=PATIENCE))


def alarm_of(message):
    return message["payload"] if message["type"] == "alarm_state" else message["payload"]["alarm"]


async def first_to_tell(socket, version):
    """Return the first message that tells of this change or a later one."""
    while True:
        message = await receive(socket)
        if alarm_of(message)["version"] >= version:
            return message


async def test_a_change_is_told_at_once_and_not_with_the_next_push(site):
    async with with_token(site, "admin") as client, client.ws_connect("/ws/status/") as socket:
        await receive(socket)
        firsts, sequences = [], []
        for verb, data in [("arm", {"mode": "away", "exit_delay": 0}), ("trigger", {}), ("disarm", {})]:
            changed = await change(client, verb, **data)
            message = await first_to_tell(socket, changed["version"])
            assert alarm_of(message) == changed
            firsts.append(message["type"])
            sequences.append(message["sequence"])

    # A push that happens to be on its way may be faster; not every time.
    assert "alarm_state" in firsts
    assert sequences == sorted(set(sequences))


async def test_no_push_goes_back_to_what_the_alarm_was_before(site):
    async with with_token(site, "admin") as client, client.ws_connect("/ws/status/") as socket:
        changed = await change(client, "trigger")
        await first_to_tell(socket, changed["version"])
        versions = [alarm_of(await receive(socket))["version"] for _ in range(2)]
        await change(client, "disarm")

    assert min(versions) >= changed["version"]


async def test_a_client_that_comes_right_after_a_change_is_not_told_the_old_state(site):
    async with with_token(site, "admin") as client, client.ws_connect("/ws/status/") as socket:
        await receive(socket)
        for verb in ("trigger", "disarm"):
            changed = await change(client, verb)
            async with client.ws_connect("/ws/status/") as newcomer:
                assert alarm_of(await receive(newcomer)) == changed


async def test_a_delay_that_ends_is_told_by_itself(site):
    async with with_token(site, "admin") as client, client.ws_connect("/ws/status/") as socket:
        changed = await change(client, "arm", mode="night", exit_delay=1)
        message = await first_to_tell(socket, changed["version"] + 1)
        await change(client, "disarm")

    assert alarm_of(message)["state"] == "armed_night"


async def test_an_entry_delay_that_ended_while_the_server_was_down_triggers_at_the_start(people, tmp_path):
    site = Site(tmp_path / "site", people)
    with sqlite3.connect(site.database_url.removeprefix("sqlite:///")) as database:
        database.execute(
            "INSERT INTO alarm_alarmstate (state, mode, since, until, version)"
            " VALUES ('pending', 'away', '2026-01-01 03:00:00', '2026-01-01 03:00:30', 3)"
        )
    database.close()
    with site:
        async with site.client("resident") as client:

            async def is_triggered():
                async with client.get("/api/alarm/") as answer:
                    return (await answer.json())["state"] == "triggered"

            await eventually(is_triggered)
            async with client.get("/api/alarm/events") as answer:
                assert [event["kind"] for event in (await answer.json())["events"]] == ["triggered"]
