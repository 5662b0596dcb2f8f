"""Old notifications go with the old events of the alarm."""

from datetime import timedelta

import pytest
from constance import config
from django.utils import timezone

from alarm.tasks import cleanup_old_events
from notifications import outbox
from notifications.models import Notification, Status

pytestmark = pytest.mark.django_db


def queue(status, *, days, **values):
    row = outbox.queue("Door", f"{status} {days}")
    Notification.objects.filter(pk=row.pk).update(
        status=status, created_at=timezone.now() - timedelta(days=days), **values
    )
    return row


def test_those_that_are_over_go_after_thirty_days_and_those_that_wait_stay():
    for status in Status:
        for days in (29, 31):
            queue(status, days=days)

    assert cleanup_old_events() == 4
    left = {row.body for row in Notification.objects.all()}
    assert left == {f"{status} 29" for status in Status} | {"pending 31", "sending 31"}


def test_a_message_goes_before_those_that_went_with_it():
    first = queue(Status.SENT, days=31)
    queue(Status.MERGED, days=29, part_of=first)

    cleanup_old_events()

    assert Notification.objects.get().part_of is None


def test_they_are_kept_for_as_long_as_the_setting_says():
    queue(Status.SENT, days=31)
    config.RETAIN_NOTIFICATIONS_DAYS = 0

    assert cleanup_old_events() == 0
