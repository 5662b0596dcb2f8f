"""What the nightly clean-ups of the alarm system delete, and what they keep."""

from datetime import timedelta

import pytest
from constance import config
from django.contrib.sessions.models import Session
from django.utils import timezone

from alarm import events
from alarm.models import AlarmEvent
from alarm.tasks import cleanup_expired_sessions, cleanup_old_events
from asyncsched import DailyAt
from asyncsched.registry import registry

pytestmark = pytest.mark.django_db


def add_event(days_ago):
    event = events.record("door_opened")
    AlarmEvent.objects.filter(pk=event.pk).update(created_at=timezone.now() - timedelta(days=days_ago))
    return event


def add_session(key, days_left):
    return Session.objects.create(
        session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days_left)
    )


def test_events_older_than_the_setting_are_deleted():
    add_event(91)
    recent = add_event(89)

    assert cleanup_old_events() == 1
    assert list(AlarmEvent.objects.all()) == [recent]


def test_all_events_are_kept_when_the_setting_is_zero():
    config.RETAIN_ALARM_EVENTS_DAYS = 0
    add_event(10_000)

    assert cleanup_old_events() == 0
    assert AlarmEvent.objects.count() == 1


def test_expired_sessions_are_deleted():
    add_session("expired", -1)
    valid = add_session("valid", 1)

    assert cleanup_expired_sessions() == 1
    assert list(Session.objects.all()) == [valid]


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("cleanup_old_events", DailyAt(hour=3, minute=0)),
        ("cleanup_expired_sessions", DailyAt(hour=4, minute=0)),
    ],
)
def test_the_clean_up_runs_at_its_hour_with_a_limit(name, schedule):
    task = registry.get(name)

    assert task.schedule == schedule
    assert task.options.timeout == 1800


def test_an_event_keeps_what_it_is_told():
    event = events.record("code_wrong", "Wrong code", source="panel", details={"tries": 3})

    event.refresh_from_db()

    assert (event.kind, event.message, event.source, event.details) == (
        "code_wrong",
        "Wrong code",
        "panel",
        {"tries": 3},
    )


def test_an_event_without_a_kind_is_refused():
    with pytest.raises(ValueError, match="kind=''"):
        events.record("")


def test_a_message_that_is_too_long_is_cut():
    assert len(events.record("motion", "x" * 2000).message) == 500
