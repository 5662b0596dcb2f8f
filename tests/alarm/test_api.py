"""The alarm's HTTP API: what it answers, to whom, and what it never tells."""

import json
import logging
from datetime import timedelta

import pytest
from constance.test import override_config
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from alarm import arming, events
from alarm.arming import Command, State
from alarm.models import AlarmEvent

pytestmark = pytest.mark.django_db

CODE = "258013"


@pytest.fixture
def somebody(client, resident):
    """A client with the session of a resident."""
    client.force_login(resident)
    return client


def post(client, verb, data=None, **extra):
    body = data if isinstance(data, str) else json.dumps(data or {})
    return client.post(f"/api/alarm/{verb}", body, content_type="application/json", **extra)


def armed(exit_delay=0):
    arming.command(Command.ARM_AWAY, by="user:anna", now=timezone.now(), exit_delay=timedelta(seconds=exit_delay))


def state():
    return arming.current().state


def test_the_state_tells_how_the_alarm_is(somebody):
    armed(exit_delay=60)

    answer = somebody.get("/api/alarm/").json()

    assert (answer["state"], answer["mode"], answer["version"]) == ("arming", "away", 1)
    since, until = (timezone.datetime.fromisoformat(answer[name]) for name in ("since", "until"))
    assert until - since == timedelta(seconds=60)


@pytest.mark.parametrize("mode", ["home", "away", "night"])
def test_somebody_who_is_signed_in_arms(somebody, mode):
    answer = post(somebody, "arm", {"mode": mode})

    assert (answer.status_code, answer.json()["state"], answer.json()["mode"]) == (200, "arming", mode)
    assert AlarmEvent.objects.get().source == "user:resident"


def test_the_exit_delay_may_be_chosen(somebody):
    assert post(somebody, "arm", {"mode": "night", "exit_delay": 0}).json()["state"] == "armed_night"


def test_the_right_code_disarms_and_the_event_says_whose_it_was(somebody, make_code):
    make_code(CODE, "Anna")
    armed()

    assert post(somebody, "disarm", {"code": CODE}).json()["state"] == "disarmed"
    event = AlarmEvent.objects.first()
    assert (event.kind, event.source, event.details["code"]) == ("disarmed", "user:resident", "Anna")


def test_a_wrong_code_is_refused(somebody, make_code):
    make_code(CODE)
    armed()

    answer = post(somebody, "disarm", {"code": "1111"})

    assert (answer.status_code, answer.json()) == (403, {"error": "That code is not right", "field": "code"})
    assert state() is State.ARMED_AWAY
    assert AlarmEvent.objects.first().kind == "code_refused"


def test_no_code_is_no_try(somebody, make_code):
    make_code(CODE)
    armed()

    answer = post(somebody, "disarm")

    assert (answer.status_code, answer.json()["field"]) == (400, "code")
    assert not AlarmEvent.objects.filter(kind="code_refused").exists()


def test_after_five_wrong_codes_the_right_one_is_refused_too(somebody, make_code):
    make_code(CODE)
    armed()
    statuses = [post(somebody, "disarm", {"code": "1111"}).status_code for _ in range(5)]

    answer = post(somebody, "disarm", {"code": CODE})

    assert statuses == [403, 403, 403, 403, 429]
    assert answer.status_code == 429
    assert 290 <= answer.json()["retry_after"] <= 300
    assert answer["Retry-After"] == str(answer.json()["retry_after"])
    assert state() is State.ARMED_AWAY
    assert AlarmEvent.objects.filter(kind="locked_out").count() == 1


def test_another_address_is_not_locked_out_with_the_first(somebody, make_code):
    make_code(CODE)
    armed()
    for _ in range(5):
        post(somebody, "disarm", {"code": "1111"}, REMOTE_ADDR="192.0.2.7")

    assert post(somebody, "disarm", {"code": CODE}).status_code == 200


def test_a_lockout_ends(somebody, make_code, time_machine):
    make_code(CODE)
    armed()
    time_machine.move_to(timezone.now(), tick=False)
    for _ in range(5):
        post(somebody, "disarm", {"code": "1111"})

    time_machine.shift(timedelta(minutes=5))

    assert post(somebody, "disarm", {"code": CODE}).status_code == 200


def test_while_there_is_no_code_only_staff_may_disarm(somebody, admin_client):
    armed()

    refused = post(somebody, "disarm")
    assert (refused.status_code, refused.json()) == (403, {"error": "There is no code yet: only staff may disarm"})
    assert post(admin_client, "disarm").json()["state"] == "disarmed"


def test_the_permission_lets_a_resident_disarm_while_there_is_no_code(somebody, resident):
    resident.user_permissions.add(Permission.objects.get(codename="operate", content_type__app_label="alarm"))
    armed()

    assert post(somebody, "disarm").status_code == 200


def test_staff_need_the_code_too_once_there_is_one(admin_client, make_code):
    make_code(CODE)
    armed()

    assert post(admin_client, "disarm").status_code == 400


def test_a_code_that_has_ended_is_none(admin_client, make_code):
    make_code(CODE, valid_until=timezone.now() - timedelta(seconds=1))
    armed()

    assert post(admin_client, "disarm").status_code == 200


def test_arming_needs_a_code_if_the_settings_say_so(somebody, make_code):
    make_code(CODE)
    with override_config(ALARM_CODE_TO_ARM=True):
        assert post(somebody, "arm", {"mode": "away"}).status_code == 400
        assert post(somebody, "arm", {"mode": "away", "code": CODE}).status_code == 200


def test_somebody_in_need_raises_the_alarm_without_a_code(somebody, make_code):
    make_code(CODE)

    assert post(somebody, "trigger").json()["state"] == "triggered"


@pytest.mark.parametrize(
    ("verb", "data", "field"),
    [
        ("arm", {}, "mode"),
        ("arm", {"mode": "holiday"}, "mode"),
        ("arm", {"mode": ["away"]}, "mode"),
        ("arm", {"mode": "away", "exit_delay": -1}, "exit_delay"),
        ("arm", {"mode": "away", "exit_delay": 601}, "exit_delay"),
        ("arm", {"mode": "away", "exit_delay": "soon"}, "exit_delay"),
        ("arm", {"mode": "away", "speed": 3}, "speed"),
        ("disarm", {"code": 258013}, "code"),
        ("disarm", {"code": "2580132580132"}, "code"),
        ("disarm", {"code": None}, "code"),
        ("disarm", "[]", None),
        ("disarm", "{", None),
        ("disarm", "\x00", None),
        ("disarm", "[" * 100_000, None),
    ],
)
def test_what_is_wrong_with_a_request_is_told_with_its_field(somebody, verb, data, field):
    answer = post(somebody, verb, data)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert answer.json()["error"].startswith(f"{field or 'body'}: ")


def test_what_the_state_does_not_allow_names_both(somebody):
    armed()

    answer = post(somebody, "arm", {"mode": "home"})

    assert answer.status_code == 409
    assert answer.json() == {
        "error": "The alarm is armed_away: arm_home is not possible",
        "state": "armed_away",
        "command": "arm_home",
    }


@pytest.mark.parametrize("path", ["/api/alarm/", "/api/alarm/events", "/api/house/lately"])
def test_a_stranger_reads_nothing(client, path):
    answer = client.get(path)

    assert (answer.status_code, answer.json()) == (401, {"error": "Sign in first"})


@pytest.mark.parametrize("verb", ["arm", "disarm", "trigger"])
def test_a_stranger_changes_nothing(client, verb):
    assert post(client, verb, {"mode": "away"}).status_code == 401
    assert state() is State.DISARMED


def test_somebody_who_has_been_deactivated_changes_nothing(somebody, resident):
    get_user_model().objects.filter(pk=resident.pk).update(is_active=False)

    assert post(somebody, "trigger").status_code == 401


@pytest.mark.parametrize("verb", ["arm", "disarm", "trigger"])
def test_a_page_of_another_site_changes_nothing(resident, verb):
    client = Client(enforce_csrf_checks=True)
    client.force_login(resident)

    assert post(client, verb, {"mode": "away"}).status_code == 403
    assert state() is State.DISARMED


def test_a_client_with_the_token_of_a_page_is_heard(resident):
    client = Client(enforce_csrf_checks=True)
    client.force_login(resident)
    client.get("/")
    token = client.cookies["csrftoken"].value

    assert post(client, "arm", {"mode": "away"}, HTTP_X_CSRFTOKEN=token).status_code == 200


@pytest.mark.parametrize("verb", ["arm", "disarm", "trigger"])
def test_changing_takes_a_post(somebody, verb):
    assert somebody.get(f"/api/alarm/{verb}").status_code == 405


def test_events_come_newest_first_page_by_page(somebody):
    for number in range(5):
        events.record("counted", str(number))

    first = somebody.get("/api/alarm/events?limit=2").json()
    second = somebody.get(f"/api/alarm/events?limit=2&before={first['next']}").json()
    third = somebody.get(f"/api/alarm/events?limit=2&before={second['next']}").json()

    pages = [[event["message"] for event in page["events"]] for page in (first, second, third)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert third["next"] is None


def test_events_are_never_counted(somebody, django_assert_max_num_queries):
    with django_assert_max_num_queries(3) as queries:  # session, user, events
        somebody.get("/api/alarm/events")

    assert not any("COUNT" in query["sql"] for query in queries)


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("limit=101", "limit"), ("before=x", "before"), ("after=1", "after")]
)
def test_a_page_that_makes_no_sense_is_refused(somebody, query, field):
    answer = somebody.get(f"/api/alarm/events?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_no_code_is_in_any_log_event_or_answer(somebody, make_code, caplog):
    row = make_code(CODE)
    wrong = "914275"
    armed()
    told = []
    with caplog.at_level(logging.DEBUG):
        wrongs = [{"code": wrong}, {"code": [wrong]}, {"code": wrong * 3}, {"code": wrong, "x": wrong}, f'{{"{wrong}']
        told += [post(somebody, "disarm", data).content.decode() for data in wrongs]
        told += [post(somebody, "disarm", {"code": CODE}).content.decode() for _ in range(2)]
        told += [somebody.get(path).content.decode() for path in ("/", "/api/alarm/events", "/api/house/lately")]
    told += [f"{event} {event.source} {event.details}" for event in AlarmEvent.objects.all()]

    everything = caplog.text + "".join(told)
    assert "disarmed" in everything
    for secret in (CODE, wrong, row.hash):
        assert secret not in everything
