"""Deleting in batches: what goes, what stays, and when it ends early."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from retention.batches import delete_in_batches

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def add_sessions(count, *, expired=True):
    moment = NOW - timedelta(days=1) if expired else NOW + timedelta(days=1)
    Session.objects.bulk_create(
        Session(session_key=f"{'old' if expired else 'new'}{number:05}", session_data="", expire_date=moment)
        for number in range(count)
    )


def expired_sessions():
    return Session.objects.filter(expire_date__lt=NOW)


def test_rows_that_match_go_and_the_others_stay():
    add_sessions(25)
    add_sessions(3, expired=False)

    deleted = delete_in_batches(expired_sessions(), batch_size=10)

    assert deleted == 25
    assert Session.objects.count() == 3


def test_an_empty_selection_deletes_nothing():
    assert delete_in_batches(expired_sessions()) == 0


def test_a_batch_of_no_rows_is_refused():
    with pytest.raises(ValueError, match="batch_size=0"):
        delete_in_batches(expired_sessions(), batch_size=0)
