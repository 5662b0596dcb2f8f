"""The alarm as it is stored: what a change writes, and what a change is part of."""

from datetime import UTC, datetime, timedelta

import pytest
from constance.test import override_config
from django.db import OperationalError, transaction

from alarm import arming, events
from alarm.arming import Command, State
from alarm.board import board
from alarm.changes import alarm_changed
from alarm.models import AlarmEvent, AlarmState
from notifications.models import Notification

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WITHOUT_EXIT = timedelta()


@pytest.fixture
def receiver():
    """Returns a function that has another function told of changes for the length of the test."""
    connected = []

    def connect(function):
        alarm_changed.connect(function, weak=False)
        connected.append(function)

    yield connect
    for function in connected:
        alarm_changed.disconnect(function)


def kinds():
    return list(AlarmEvent.objects.order_by("pk").values_list("kind", flat=True))


def arm(now=NOW, **options):
    return arming.command(Command.ARM_AWAY, by="user:anna", now=now, **options)


def test_a_new_house_is_disarmed():
    assert arming.current().state is State.DISARMED
    assert AlarmState.objects.count() == 1


def test_a_night_with_a_burglar_leaves_an_event_for_every_step():
    arm()
    arming.elapse(NOW + timedelta(seconds=60))
    arming.command(Command.ENTER, by="rule:3", now=NOW + timedelta(seconds=100))
    arming.elapse(NOW + timedelta(seconds=130))
    arming.elapse(NOW + timedelta(seconds=430))
    arming.command(Command.DISARM, by="user:anna", now=NOW + timedelta(seconds=500))

    told = AlarmEvent.objects.order_by("pk").values_list("kind", "message", "source")
    assert list(told) == [
        ("arming", "Arming away: 60 s to leave", "user:anna"),
        ("armed", "Armed away", "timer"),
        ("pending", "Somebody came in: 30 s to disarm", "rule:3"),
        ("triggered", "Alarm!", "timer"),
        ("armed", "Armed away", "timer"),
        ("disarmed", "Disarmed", "user:anna"),
    ]
    assert AlarmEvent.objects.earliest("pk").details == {"from": "disarmed", "state": "arming"}
    assert AlarmEvent.objects.earliest("pk").created_at == NOW


def test_what_is_returned_is_what_is_stored():
    assert arm() == arming.current()


def test_a_command_that_changes_nothing_writes_nothing():
    assert arming.command(Command.ENTER, by="rule:3", now=NOW) is None
    assert kinds() == []


def test_a_timer_that_comes_early_or_twice_changes_nothing():
    arm()

    assert arming.elapse(NOW + timedelta(seconds=59)) is None
    assert arming.elapse(NOW + timedelta(seconds=61)).state is State.ARMED_AWAY
    assert arming.elapse(NOW + timedelta(seconds=61)) is None
    assert kinds() == ["arming", "armed"]


@override_config(ALARM_EXIT_DELAY=5, ALARM_ENTRY_DELAY=0, ALARM_TRIGGER_DURATION=7)
def test_the_delays_are_those_of_the_admin():
    assert arm().until == NOW + timedelta(seconds=5)
    later = NOW + timedelta(seconds=5)
    arming.elapse(later)
    assert arming.command(Command.ENTER, by="rule:3", now=later).until == later + timedelta(seconds=7)


def test_who_arms_may_choose_another_exit_delay():
    assert arm(exit_delay=timedelta(seconds=7)).until == NOW + timedelta(seconds=7)
    assert kinds() == ["arming"]


def test_receivers_are_told_in_the_transaction(receiver):
    def react(before, after, **_):
        assert transaction.get_connection().in_atomic_block
        events.record("reacted", f"{before.state} {after.state}")

    receiver(react)
    arm(exit_delay=WITHOUT_EXIT)

    assert AlarmEvent.objects.latest("pk").message == "disarmed armed_away"


def test_a_receiver_that_fails_undoes_what_was_written_with_it_but_not_the_alarm(receiver, caplog):
    def react(**_):
        events.record("reacted")

    def fail(**_):
        raise ZeroDivisionError

    receiver(react)
    receiver(fail)
    arm()

    assert kinds() == ["arming"]
    assert arming.current().state is State.ARMING
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_under_a_receiver_undoes_the_change(receiver):
    def fail(**_):
        raise OperationalError("deadlock detected")

    receiver(fail)
    with pytest.raises(OperationalError):
        arm()

    assert kinds() == []
    assert arming.current().state is State.DISARMED


def test_what_its_caller_undoes_did_not_happen_and_is_told_to_nobody(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        arm()
        transaction.set_rollback(True)

    assert arming.current().state is State.DISARMED
    assert board.take_news() is None


def test_the_board_learns_of_a_change_once_it_is_committed(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        status = arm()
        assert board.status is None

    assert board.status == status
    assert board.take_news() == status
    assert board.take_news() is None


def test_the_board_does_not_go_back():
    newer = arm()
    board.learn(newer)
    older = arming.Status(state=State.DISARMED, since=NOW)

    assert board.learn(older) == newer


@pytest.fixture
def phones(settings):
    settings.NOTIFY_URLS = ["json://127.0.0.1:9/"]


def go_off():
    arming.command(Command.TRIGGER, by="user:anna", now=NOW)


def test_an_alarm_that_goes_off_tells_everybody_urgently_without_any_rule(phones):
    go_off()

    message = Notification.objects.get()
    assert (message.title, message.channel, message.urgent) == ("ALARM", "", True)
    assert message.body == "The alarm went off. It was raised at once. It was not armed."


def test_what_it_tells_says_how_it_came_to_it(phones):
    arm(exit_delay=WITHOUT_EXIT)
    arming.command(Command.ENTER, by="rule:3", now=NOW)
    arming.elapse(NOW + timedelta(seconds=30))

    assert Notification.objects.get().body == "The alarm went off. Nobody disarmed in time. It was armed away."


def test_a_house_without_addresses_keeps_no_messages_for_later():
    go_off()
    assert not Notification.objects.exists()


@override_config(ALARM_NOTIFIES=False)
def test_who_leaves_the_message_to_rules_switches_it_off(phones):
    go_off()
    assert not Notification.objects.exists()
