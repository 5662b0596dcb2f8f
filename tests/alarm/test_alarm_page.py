"""The alarm and what happened lately, as the server writes them into the live page."""

import re
from datetime import timedelta

import pytest
from constance.test import override_config
from django.test import Client
from django.utils import timezone

from alarm import arming, events, lately
from alarm.arming import Command, State
from home.models import Entity
from notifications import outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def somebody(client, resident):
    client.force_login(resident)
    return client


def put(*commands, mode_delay=0):
    for command in commands:
        arming.command(command, by="user:anna", now=timezone.now(), exit_delay=timedelta(seconds=mode_delay))


def page_of(client):
    return client.get("/").content.decode()


def shown_form(page):
    """Return the one of the two forms that is not hidden."""
    (form,) = [form for form in re.findall(r"<form[^>]*data-when.*?</form>", page, re.DOTALL) if " hidden>" not in form]
    return form


@pytest.mark.parametrize(
    ("commands", "word", "tone", "buttons"),
    [
        ([], "Disarmed", "off", ["Away", "Home", "Night"]),
        ([Command.ARM_HOME], "Armed home", "ok", ["Disarm"]),
        ([Command.ARM_AWAY, Command.ENTER], "Somebody came in", "wait", ["Disarm"]),
        ([Command.TRIGGER], "Alarm", "bad", ["Disarm"]),
    ],
)
def test_the_page_says_how_the_alarm_is_and_what_can_be_done(somebody, commands, word, tone, buttons):
    put(*commands)

    page = page_of(somebody)

    assert f'<p class="is">{word}</p>' in page
    assert f'id="panel" aria-labelledby="panel-title" data-state="{tone}"' in page
    assert re.findall(r'name="command"[^>]*>(\w+)<', shown_form(page)) == buttons


def test_a_code_is_asked_for_where_one_is_needed(somebody, make_code):
    make_code()
    assert 'name="code"' not in shown_form(page_of(somebody))
    with override_config(ALARM_CODE_TO_ARM=True):
        assert 'name="code"' in shown_form(page_of(somebody))

    put(Command.ARM_NIGHT)
    assert 'name="code"' in shown_form(page_of(somebody))


def test_the_form_arms_and_leads_back_to_the_page(somebody):
    answer = somebody.post("/alarm/", {"command": "arm_away"})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert arming.current().state is State.ARMING


def test_what_is_refused_is_told_on_the_page_once(somebody, make_code):
    make_code("258013")
    put(Command.ARM_AWAY)

    page = somebody.post("/alarm/", {"command": "disarm", "code": "914275"}, follow=True).content.decode()

    assert "That code is not right" in page
    assert "914275" not in page
    assert "That code is not right" not in page_of(somebody)


@pytest.mark.parametrize("command", ["", "enter", "trigger", "explode"])
def test_the_form_knows_what_its_buttons_say_and_no_more(somebody, command):
    assert somebody.post("/alarm/", {"command": command}).status_code == 400
    assert arming.current().state is State.DISARMED


def test_a_stranger_is_sent_to_sign_in(client):
    answer = client.post("/alarm/", {"command": "arm_away"})

    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/alarm/")
    assert arming.current().state is State.DISARMED


def test_a_form_of_another_site_changes_nothing(resident):
    client = Client(enforce_csrf_checks=True)
    client.force_login(resident)

    assert client.post("/alarm/", {"command": "arm_away"}).status_code == 403


def test_lately_is_the_newest_of_everything(somebody):
    now = timezone.now()
    for number in range(12):
        events.record("counted", f"event {number}")
        changed = now + timedelta(seconds=number)
        fields = {"domain": "light", "state": "on", "last_changed": changed, "last_updated": changed}
        Entity.objects.create(entity_id=f"light.number_{number}", name=f"Light {number}" if number else "", **fields)
        outbox.queue(f"message {number}", "text")

    found = somebody.get("/api/house/lately").json()

    assert [row["text"] for row in found["events"]] == [f"event {number}" for number in range(11, 1, -1)]
    assert [row["text"] for row in found["entities"]] == [f"Light {number}" for number in range(11, 3, -1)]
    assert found["entities"][0]["word"] == "on"
    assert len(found["notifications"]) == 8


def test_states_of_the_house_are_said_in_words(somebody):
    now = timezone.now()
    fields = {"domain": "person", "state": "not_home", "last_changed": now, "last_updated": now}
    Entity.objects.create(entity_id="person.alex", name="Alex", **fields)

    assert somebody.get("/api/house/lately").json()["entities"][0]["word"] == "away"
    assert "not_home" not in page_of(somebody)


@pytest.mark.parametrize(
    ("facts", "by"),
    [
        ({"message": "Lights on", "source": "rule:3", "details": {"rule": "Evening"}}, "rule Evening"),
        ({"message": "Evening", "source": "rule:3", "details": {"rule": "Evening"}}, ""),
        ({"message": "Evening", "source": "rule:3", "details": {}}, "rule 3"),
        ({"message": "Armed", "source": "user:anna", "details": {}}, "anna"),
    ],
)
def test_who_did_it_is_called_by_name(somebody, facts, by):
    events.record("happened", **facts)

    assert somebody.get("/api/house/lately").json()["events"][0]["by"] == by


def test_an_entity_that_is_gone_is_no_news(somebody):
    now = timezone.now()
    fields = {"domain": "light", "state": "on", "last_changed": now, "last_updated": now}
    Entity.objects.create(entity_id="light.gone", removed_at=now, **fields)

    assert somebody.get("/api/house/lately").json()["entities"] == []


def test_only_staff_read_what_notifications_say(somebody, admin_client):
    outbox.queue("Somebody came in", "by the front door")

    (hidden,) = somebody.get("/api/house/lately").json()["notifications"]
    (shown,) = admin_client.get("/api/house/lately").json()["notifications"]

    assert (hidden["text"], hidden["word"]) == ("Notification", "waiting")
    assert (shown["text"], shown["word"]) == ("Somebody came in", "waiting")
    assert "Somebody came in" not in page_of(somebody)
    assert "Somebody came in" in page_of(admin_client)


def test_the_mark_changes_with_whatever_is_new():
    now = timezone.now()
    marks = [lately.read().mark]
    events.record("counted")
    marks.append(lately.read().mark)
    fields = {"domain": "light", "state": "on", "last_changed": now, "last_updated": now}
    entity = Entity.objects.create(entity_id="light.hall", **fields)
    marks.append(lately.read().mark)
    Entity.objects.filter(pk=entity.pk).update(state="off")
    marks.append(lately.read().mark)
    message = outbox.queue("title", "text")
    marks.append(lately.read().mark)
    type(message).objects.update(status="sent")
    marks.append(lately.read().mark)

    assert len(set(marks)) == len(marks)
    assert lately.read().mark == marks[-1]
