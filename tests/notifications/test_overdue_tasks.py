"""Tasks that do not succeed in time become messages: through the scheduler's signals into the outbox, and out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from asyncsched import Every
from asyncsched.alerts import look
from asyncsched.models import TaskState
from asyncsched.policy import Options
from asyncsched.registry import Task
from notifications.models import Notification, Status

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


def task(name="water_plants"):
    return Task(name=name, function=lambda: None, schedule=Every(600), options=Options(alert_after=60), is_async=False)


def succeeded(name="water_plants", *, ago=DAY, **facts):
    facts = {"last_success_at": timezone.now() - ago, "last_status": "succeeded"} | facts
    return TaskState.objects.create(task=name, **facts)


def at(moment):
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M %Z}"


def test_a_task_that_does_not_succeed_becomes_an_urgent_message_that_says_what_is_wrong():
    state = succeeded(last_status="failed")

    (alert,) = look([task()], is_scheduler_alive=True)

    message = Notification.objects.get()
    assert message.urgent
    assert message.title == "water_plants has not succeeded in time"
    assert message.body == (
        f"water_plants, every 10 min, has not succeeded since {at(state.last_success_at)}."
        f" It should have by {at(alert.expected_by)}. Its last run failed."
    )


def test_an_incident_is_one_message_however_often_it_is_found():
    succeeded()
    for _ in range(3):
        look([task()], is_scheduler_alive=True)

    assert Notification.objects.count() == 1


def test_many_at_once_are_one_message_that_names_the_first():
    names = [f"task {number:02}" for number in range(13)]
    for name in names:
        succeeded(name)

    look([task(name) for name in names], is_scheduler_alive=True)

    message = Notification.objects.get()
    lines = message.body.splitlines()
    assert message.title == "13 tasks have not succeeded in time"
    assert [line.partition(",")[0] for line in lines[:10]] == names[:10]
    assert lines[10:] == ["and 3 more"]


def test_where_no_process_runs_the_message_says_so():
    succeeded()

    look([task()], is_scheduler_alive=False)

    message = Notification.objects.get()
    assert message.title == "The scheduler is down: water_plants has not succeeded in time"
    assert message.body.splitlines()[-1] == "No process runs the scheduler, so no other task runs either."


def test_the_end_of_it_is_a_message_that_can_wait():
    succeeded()
    look([task()], is_scheduler_alive=True)
    now = timezone.now()
    TaskState.objects.update(last_success_at=now)

    look([task()], is_scheduler_alive=True)

    message = Notification.objects.latest("pk")
    assert (message.title, message.urgent) == ("water_plants has succeeded again", False)
    assert message.body == f"water_plants, every 10 min, succeeded at {at(now)}"


def test_where_no_process_runs_it_is_sent_at_once(receiver, settings):
    settings.NOTIFY_URLS = [receiver.url]
    succeeded()

    look([task()], is_scheduler_alive=False)

    assert receiver.titles == ["The scheduler is down: water_plants has not succeeded in time"]
    assert Notification.objects.get().status == Status.SENT


def test_what_could_not_be_sent_is_sent_by_a_later_look(receiver, settings):
    settings.NOTIFY_URLS = [receiver.url]
    receiver.status = 503
    succeeded()
    look([task()], is_scheduler_alive=False)
    assert Notification.objects.get().status == Status.PENDING

    receiver.status = 200
    Notification.objects.update(next_attempt_at=timezone.now())
    look([task()], is_scheduler_alive=False)

    assert receiver.titles == ["The scheduler is down: water_plants has not succeeded in time"]


def test_where_a_process_runs_it_is_left_to_it(receiver, settings):
    settings.NOTIFY_URLS = [receiver.url]
    succeeded()

    look([task()], is_scheduler_alive=True)

    assert receiver.titles == []
    assert Notification.objects.get().status == Status.PENDING


def test_without_an_address_nothing_is_sent():
    succeeded()

    look([task()], is_scheduler_alive=False)

    assert Notification.objects.get().status == Status.PENDING
