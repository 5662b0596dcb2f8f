"""Detections in the table: what is stored, and what is told of it in the same transaction."""

from contextlib import contextmanager, suppress

import pytest
from django.db import DataError, OperationalError, connection

from home.changes import detections_changed
from home.frigate.events import read_event
from home.frigate.reviews import read_review
from home.frigate.store import store
from home.models import FrigateDetection, FrigateReview
from tests.home.frigate_messages import event, review

pytestmark = pytest.mark.django_db


@contextmanager
def hearing():
    """Give the list of what is told meanwhile: of each transaction the detections."""
    told = []

    def note(detections, **_):
        assert connection.in_atomic_block
        told.append(detections)

    detections_changed.connect(note)
    try:
        yield told
    finally:
        detections_changed.disconnect(note)


def test_a_change_is_told_as_it_is_stored():
    first, second = read_event(event("new", score=0.9, top_score=0.9)), read_event(event("end", seconds=4, score=0.5))
    with hearing() as told:
        store([first])
        store([second])

    assert told == [[first], [first.merged(second)]]
    assert told[1][0].top_score == 0.9


def test_what_changes_nothing_is_not_told():
    newer, older = read_event(event("end", seconds=4, zones=["door"])), read_event(event("new"))
    store([newer])
    with hearing() as told:
        store([newer])
        store([older])

    assert told == []
    assert FrigateDetection.objects.get().ended_at is not None


def test_of_a_batch_the_oldest_news_is_told_first():
    batch = [read_event(event("new", id=name, seconds=at)) for name, at in (("a", 2), ("b", 0), ("c", 1))]
    with hearing() as told:
        store(batch)

    assert [[detection.event_id for detection in detections] for detections in told] == [["b", "c", "a"]]


@pytest.mark.parametrize(("failure", "stored"), [(DataError, 1), (ValueError, 1), (OperationalError, 0)])
def test_a_receiver_that_fails_keeps_nothing_from_being_stored_but_a_database_that_fails_is_tried_again(
    failure, stored
):
    def fail(**_):
        raise failure

    detections_changed.connect(fail)
    try:
        with suppress(OperationalError):
            store([read_event(event("new"))])
    finally:
        detections_changed.disconnect(fail)

    assert FrigateDetection.objects.count() == stored


def test_a_review_and_a_detection_of_the_same_name_are_two_things():
    store([read_event(event("new", id="x")), read_review(review("new", id="x"))])

    assert (FrigateDetection.objects.get().event_id, FrigateReview.objects.get().review_id) == ("x", "x")


def test_a_review_grows_and_is_never_less_than_it_was():
    for said in (
        review("update", severity="alert", data={"objects": ["dog"]}),
        review("end", seconds=8),
        review("new"),
    ):
        store([read_review(said)])

    row = FrigateReview.objects.get()
    assert (row.severity, row.labels, row.ended_at is None) == ("alert", ["dog", "person"], False)
