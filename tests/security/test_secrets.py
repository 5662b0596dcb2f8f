"""What the deployment is trusted with appears nowhere but on the wire to whom it is for.

One deployment talks to everything a home has, with the log at its chattiest. First all goes well,
then everybody refuses it. Afterwards every place that people can look at is searched for every secret.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote

import pytest

from tests.notifications.conftest import Receiver
from tests.security.places import manage, output_of_commands, pages_of, rows_of
from tests.support.deadline import eventually
from tests.support.home_assistant import HomeAssistantServer
from tests.support.mosquitto import running_mosquitto
from tests.support.site import Site

pytestmark = pytest.mark.e2e

SECRETS = {
    "Home Assistant's token": "hass-long-lived-3f9a",
    "the broker's password": "broker-pass/word-77",
    "a password in a notification address": "notify-password-c20",
    "a path in a notification address": "notify-path-token-e4",
    "a header in a notification address": "notify-header-token-91",
    "the token for metrics": "metrics-token-d8d8",
    "the password of Z-Wave JS": "zwave-password-6e",
    "the key that signs cookies": "for tests only",
    "a code of the alarm": "93715082",
    "a wrong code": "60718239",
}
QUEUE = """
from notifications.outbox import queue
queue("Door", {!r})
"""
RULE = """
from rules.models import Rule
Rule.objects.create(name="siren", definition={
    "when": {"entity_id": "binary_sensor.door", "state": "on"},
    "then": [{"type": "home_assistant", "domain": "light", "service": "turn_on", "data": {}}]})
"""
CODE = """
from alarm.codes import hashed
from alarm.models import AlarmCode
AlarmCode.objects.create(label="family", hash=hashed({!r}))
"""

WORTH_LOOKING_AT = (
    ("table alarm_alarmevent", "code_refused"),
    ("table asyncsched_taskrun", "refused the token"),
    ("table asyncsched_taskrun", "NOTIFY_URLS entry 1"),  # among the lines that a run wrote to the log
    ("log", "Home Assistant: outage"),
    ("log", "MQTT: outage"),
    ("log", "Z-Wave JS: outage"),
    ("log", "NOTIFY_URLS entry 1"),
    ("push", "system_status"),
    ("page /metrics", "asyncsched_runs_total"),
    ("page /admin/notifications/notification/", "answered 401"),
    ("page /api/alarm/events", "code_refused"),
    ("command history --limit 1000 --json", "refused the token"),
)
"""Where to find, in that place, that something was told which the secret belongs to."""


class Life:
    """The deployment and all that it talks to."""

    def __init__(self, running: ExitStack, folder, people) -> None:
        self.receiver = Receiver()
        running.callback(self.receiver.close)
        self.home_assistant = running.enter_context(HomeAssistantServer(token=SECRETS["Home Assistant's token"]))
        self.broker = running.enter_context(running_mosquitto(password=SECRETS["the broker's password"]))
        self.environment = {
            "LOG_LEVEL": "DEBUG",
            "HOME_ASSISTANT_URL": self.home_assistant.url,
            "HOME_ASSISTANT_TOKEN": self.home_assistant.token,
            "MQTT_URL": self.broker.url,
            "NOTIFY_URLS": self._notify_url(),
            "METRICS_TOKEN": SECRETS["the token for metrics"],
            "ZWAVE_JS_URL": f"ws://zwave:{SECRETS['the password of Z-Wave JS']}@127.0.0.1:9",
        }
        self.site = running.enter_context(Site(folder, people, **self.environment))

    def manage(self, *words: str) -> str:
        """Run ``manage.py`` beside the server; fail if it does."""
        return manage(*words, database_url=self.site.database_url, **self.environment)

    def rows(self) -> dict[str, str]:
        """Return all rows, by table."""
        return rows_of(self.site.database_url.removeprefix("sqlite:///"))

    def _notify_url(self) -> str:
        host = self.receiver.url.removeprefix("json://").rstrip("/")
        password, path, header = (
            SECRETS[f"a {part} in a notification address"] for part in ("password", "path", "header")
        )
        return f"json://sender:{password}@{host}/{path}/?+X-Token={header}"

    async def go_well(self) -> None:
        """All is as it should be: entities come, a message arrives, the alarm takes the right code."""
        self.home_assistant.set_entity("binary_sensor.door", "off")
        self.manage("shell", "-c", QUEUE.format("all is well") + RULE + CODE.format(SECRETS["a code of the alarm"]))
        await eventually(lambda: self.receiver.received, within=60, what="a delivery")
        await eventually(lambda: "binary_sensor.door" in self.rows()["home_entity"], within=60, what="an entity")

    async def go_wrong(self) -> None:
        """Everybody refuses us, and somebody tries codes."""
        self.receiver.status = 401
        self.home_assistant.stop()
        self.home_assistant.token = "another"
        self.home_assistant.start()
        self.broker.stop()
        self.manage("shell", "-c", QUEUE.format("nobody takes this"))
        self.manage("async_tasks", "run", "--all", "--force")
        await eventually(lambda: "answered 401" in self.rows()["notifications_notification"], within=60)
        for place, text in WORTH_LOOKING_AT:
            if place == "log":
                self.site.server.wait_until_logged(text, timeout=90)
        async with self.site.client("admin") as client:
            headers = await csrf(client, self.site)
            for name, status in (("a wrong code", 403), ("a code of the alarm", 409)):
                async with client.post("/api/alarm/disarm", json={"code": SECRETS[name]}, headers=headers) as response:
                    assert response.status == status, await response.text()

    async def look(self) -> dict[str, str]:
        """Return all that can be seen, by place. The server ends meanwhile: what it had not written yet, it writes."""
        async with self.site.client("admin") as client:
            pages = await pages_of(
                client, "/", "/admin/", "/metrics", "/readyz", "/api/alarm/", "/api/alarm/events", "/api/house/lately"
            )
            async with client.ws_connect("/ws/status/") as socket:
                seen = {"push": await socket.receive_str(timeout=30)}
        self.site.server.stop()
        seen |= {f"page {address}": text for address, text in pages.items()}
        seen |= {f"table {name}": text for name, text in self.rows().items()}
        seen |= {
            f"command {name}": text
            for name, text in output_of_commands(self.site.database_url, self.environment).items()
        }
        return seen | {"log": self.site.server.log}


async def csrf(client, site) -> dict[str, str]:
    """Return the headers of a browser that was on our page before."""
    async with client.get("/") as response:
        token = response.cookies["csrftoken"].value
    return {"X-CSRFToken": token, "Cookie": f"{site.cookie('admin')}; csrftoken={token}", "Origin": site.url}


def forms_of(secret: str) -> Iterator[str]:
    """Yield the ways in which *secret* may be written."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield base64.b64encode(f"sender:{secret}".encode()).decode()


async def test_no_secret_is_to_be_seen_anywhere_however_well_or_badly_it_goes(people, tmp_path):
    with ExitStack() as running:
        life = Life(running, tmp_path, people)
        await life.go_well()
        await life.go_wrong()
        seen = await life.look()

    for place, text in WORTH_LOOKING_AT:
        assert text in seen[place], f"{place} does not tell of {text!r}, so nothing was tried"
    found = {
        f"{name} in {place}"
        for name, secret in SECRETS.items()
        for place, text in seen.items()
        if any(form in text for form in forms_of(secret))
    }
    assert not found
