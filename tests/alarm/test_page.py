"""The live page as the server writes it."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone

from asyncsched import conf
from asyncsched.models import TaskState
from asyncsched.server import compose
from home import status
from home.frigate.stats import read_stats
from tests.home.frigate_messages import stats

pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    """The board of the house, blank before and after."""
    status.reset()
    yield status
    status.reset()


@pytest.fixture
def resident(client):
    client.force_login(get_user_model().objects.create_user("resident"))
    return client


def add_failure():
    now = timezone.now()
    TaskState.objects.create(
        task="sync_entity_states",
        consecutive_failures=3,
        last_status="failed",
        last_trigger="schedule",
        last_scheduled_for=now,
        last_started_at=now,
        last_finished_at=now,
        last_duration=0.5,
        last_error="HomeAssistantError: refused",
    )


CARD = re.compile(
    r'<li class="card" data-key="(\w+)" data-state="(\w+)">\s*<h3>.*?</h3>\s*'
    r'<p class="word">(.*?)</p>\s*<p class="detail">(.*?)</p>'
)


def cards_of(person):
    """Return state, word and detail of each card of the page, by its key."""
    return {key: tuple(said) for key, *said in CARD.findall(person.get("/").content.decode())}


def test_a_stranger_is_sent_to_sign_in(client):
    for path in ("/", "/tasks.json"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={path}")


def test_the_page_lists_every_task_with_its_schedule(resident):
    page = resident.get("/").content.decode()

    assert re.findall(r'data-task="([\w.]+)"', page) == [task.name for task in compose.tasks(conf.load())]
    assert "daily at 03:00 UTC" in page
    assert "every 5 min" in page


def test_the_page_says_what_is_not_configured(resident):
    assert resident.get("/").content.decode().count("Not configured") == 3


def test_zigbee2mqtt_and_z_wave_js_have_a_card_where_they_are_configured(resident, settings, house):
    assert not {"zigbee2mqtt", "zwave_js"} & set(cards_of(resident))
    settings.MQTT_URL, settings.ZIGBEE2MQTT_BASE_TOPIC = "mqtt://broker", "zigbee2mqtt"
    settings.ZWAVE_JS_URL = "ws://zwave:3000"
    house.report_mqtt(house.MqttStatus(connected=True))
    house.report_zigbee2mqtt("online")
    house.report_zwave_js(house.ZwaveJsStatus(connected=True, version="3.10.2", nodes=12))
    shown = cards_of(resident)

    assert shown["zigbee2mqtt"] == ("ok", "Available", "")
    assert shown["zwave_js"] == ("ok", "Connected", "Version 3.10.2 · 12 nodes")


def test_a_blind_camera_is_trouble_though_frigate_is_available(resident, settings, house):
    settings.MQTT_URL = "mqtt://broker"
    house.report_mqtt(house.MqttStatus(connected=True))
    house.report_frigate_availability("online")
    house.report_frigate_stats(read_stats(stats(fps=0.0)))

    assert cards_of(resident)["frigate"] == ("bad", "In trouble", "no pictures from front")


def test_the_page_allows_nothing_but_our_own_files(resident):
    answer = resident.get("/")

    assert answer["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", answer.content.decode())


def test_staff_see_why_a_task_failed(admin_client):
    add_failure()

    page = admin_client.get("/").content.decode()

    assert "HomeAssistantError: refused" in page
    assert "3 in a row" in page
    assert 'data-socket="/ws/runs/"' in page


def test_residents_see_that_a_task_failed_but_not_why(resident):
    add_failure()

    page, tasks = resident.get("/").content.decode(), resident.get("/tasks.json").json()["tasks"]

    assert "3 in a row" in page
    assert "refused" not in page
    assert "data-socket" not in page
    assert next(task for task in tasks if task["name"] == "sync_entity_states")["last_run"]["error"] is None


def test_the_page_can_catch_up(admin_client):
    add_failure()

    answer = admin_client.get("/tasks.json").json()

    task = next(task for task in answer["tasks"] if task["name"] == "sync_entity_states")
    assert task["last_run"]["error"] == "HomeAssistantError: refused"
    assert timezone.now() - timezone.datetime.fromisoformat(answer["now"]) < timedelta(seconds=10)


def test_a_paused_task_is_shown_as_paused(resident):
    TaskState.objects.create(task="cleanup_old_events", paused=True)

    assert '<span class="state">paused</span>' in resident.get("/").content.decode()


def test_the_first_start_makes_an_administrator_and_shows_the_password_once(client):
    first, second = StringIO(), StringIO()
    call_command("ensure_admin", stdout=first)
    call_command("ensure_admin", stdout=second)

    password = re.fullmatch(r"Sign in as admin, password: (\S{16,})\n", first.getvalue()).group(1)
    assert second.getvalue() == ""
    assert client.login(username="admin", password=password)
    assert client.get("/admin/").status_code == 200


def test_what_became_of_a_button_of_the_table_is_told_beside_the_table(admin_client):
    admin_client.post("/tasks/cleanup_old_events/pause", {"next": "/"}, headers={"Accept": "text/html"})
    page = admin_client.get("/").content.decode()
    answers = dict(re.findall(r'<p class="answer"( id="tasks-answer")?[^>]*>(.*?)</p>', page))

    assert answers == {"": "", ' id="tasks-answer"': "cleanup_old_events is paused."}
