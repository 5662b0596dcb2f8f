"""Frigate over a real broker: what it publishes becomes rows, whatever happens to broker and database meanwhile."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import ThreadSensitiveContext

from home import status
from home.drops import Drops
from home.frigate.events import read_event
from home.frigate.inbox import Inbox
from home.frigate.writer import storing
from home.models import FrigateDetection, FrigateReview
from home.tasks import cleanup_frigate_detections
from tests.home.frigate_messages import event, review, stats
from tests.home.locked import locked_database
from tests.home.mqtt_service import following, publish
from tests.support.deadline import eventually

pytestmark = pytest.mark.django_db(transaction=True)

REVIEWS = "frigate/reviews"


def frigate() -> dict:
    return status.snapshot()["frigate"]


async def rows() -> int:
    return await FrigateDetection.objects.acount()


async def test_a_detection_is_stored_from_its_first_message_to_its_last(broker):
    async with following():
        await publish(broker, event("new"), event("update", seconds=1, score=0.9, top_score=0.9, zones=["door"]))
        await eventually(rows)
        await publish(broker, event("end", seconds=5, sub_label=["Anna", 0.9]))
        row = await eventually(FrigateDetection.objects.filter(ended_at__isnull=False).afirst)

    assert (row.camera, row.label, row.sub_label, row.top_score, row.zones) == (
        "front",
        "person",
        "Anna",
        0.9,
        ["door"],
    )
    assert row.ended_at - row.started_at == timedelta(seconds=5)


async def test_a_review_is_stored_from_its_first_message_to_its_last(broker):
    async with following():
        await publish(
            broker, review("new"), review("update", severity="alert", data={"zones": ["door"]}), topic=REVIEWS
        )
        await eventually(FrigateReview.objects.acount)
        await publish(broker, review("end", seconds=40, severity="alert"), review("update"), topic=REVIEWS)
        row = await eventually(FrigateReview.objects.filter(ended_at__isnull=False).afirst)

    assert (row.camera, row.severity, row.labels, row.zones) == ("front", "alert", ["person"], ["door"])
    assert row.ended_at - row.started_at == timedelta(seconds=40)


async def test_an_event_that_the_broker_kept_is_as_old_as_it_says(broker):
    await publish(broker, event("new", seconds=3), retain=True)
    async with following():
        await eventually(rows)

    assert frigate()["last_event_at"] == "2023-11-14T22:13:23.100+00:00"


def test_a_clock_that_is_ahead_and_a_message_that_is_late_do_not_move_the_last_event():
    now = datetime.now(UTC)
    status.report_frigate_event(now + timedelta(days=1), now=now)
    status.report_frigate_event(now - timedelta(days=1), now=now)

    assert status.board.frigate.last_event_at == now


async def test_a_camera_without_pictures_is_named_until_it_sends_some(broker, caplog):
    caplog.set_level(logging.INFO, logger="home")
    await publish(broker, b"online", topic="frigate/available", retain=True)
    async with following():
        await publish(broker, stats(fps=0.0), topic="frigate/stats")
        await eventually(lambda: frigate()["error"] == "no pictures from front")
        assert frigate()["available"] is True
        await publish(broker, stats(), topic="frigate/stats")
        await eventually(lambda: frigate()["error"] is None)

        assert frigate()["version"] == "0.16.0-abcdef0"
        assert frigate()["cameras"] == {"front": {"fps": 5.1, "detecting": True}}
        assert frigate()["detectors"] == {"coral": {"inference_ms": 10.25, "stuck": False}}
        await publish(broker, b"offline", topic="frigate/available", retain=True)
        await eventually(lambda: frigate()["cameras"] == {})

    about = [record.getMessage() for record in caplog.records if getattr(record, "integration", "") == "Frigate"]
    assert about == [
        "Frigate is online",
        "Frigate: outage: no pictures from front",
        "Frigate: works again",
        "Frigate is offline",
    ]


async def test_duplicates_late_messages_and_an_end_without_a_beginning_make_one_row_each(broker):
    async with following():
        await publish(broker, event("end", seconds=9), event("update", seconds=1), event("end", seconds=9))
        await publish(broker, event("end", seconds=9, id="second"), event("new", id="second"), event("new", id="third"))
        await eventually(lambda: FrigateDetection.objects.filter(event_id="third").aexists())
        await publish(broker, event("new"), event("update", seconds=2), event("new", id="last"))
        await eventually(lambda: FrigateDetection.objects.filter(event_id="last").aexists())

    assert await rows() == 4
    assert await FrigateDetection.objects.filter(ended_at__isnull=False).acount() == 2


async def test_availability_is_known_from_the_retained_message_and_followed(broker):
    await publish(broker, b"online", topic="frigate/available", retain=True)
    async with following():
        await eventually(lambda: frigate()["available"])
        await publish(broker, b"offline", topic="frigate/available", retain=True)
        await eventually(lambda: frigate()["error"] == "Frigate is offline")

    assert frigate()["available"] is False


async def test_detections_wait_in_memory_while_the_database_is_locked(broker, caplog):
    caplog.set_level(logging.INFO, logger="home")
    async with following():
        async with locked_database():
            await publish(broker, event("new"), event("end", seconds=3))
            await eventually(lambda: status.board.frigate.storing_error, within=20)
            assert "wait to be stored" in frigate()["error"]
            assert await rows() == 0
        await eventually(rows)
        await eventually(lambda: status.board.frigate.storing_error is None)

    about_storing = [r.action for r in caplog.records if getattr(r, "integration", "") == "storing detections"]
    assert about_storing == ["outage_began", "outage_ended"]


async def test_what_was_received_is_stored_when_the_server_drains():
    inbox = Inbox()
    for number in range(250):
        inbox.put(read_event(event("new", id=f"event-{number}")))
    async with ThreadSensitiveContext():
        await storing(inbox, Drops()).flush()

    assert (len(inbox), await rows()) == (0, 250)


async def test_without_an_address_the_board_says_not_configured():
    assert status.snapshot()["mqtt"] == {"configured": False, "connected": False, "error": None}
    assert frigate() == {
        "configured": False,
        "available": False,
        "last_event_at": None,
        "error": None,
        "version": None,
        "cameras": {},
        "detectors": {},
    }


def test_old_detections_and_reviews_are_deleted_and_those_still_followed_kept():
    now = datetime.now(UTC)
    for name, age in (("old", 15), ("parked", 0), ("new", 13)):
        FrigateDetection.objects.create(
            event_id=name,
            score=0,
            top_score=0,
            started_at=now - timedelta(days=20),
            updated_at=now - timedelta(days=age),
        )

    for name, age in (("old", 15), ("new", 13)):
        FrigateReview.objects.create(review_id=name, started_at=now - timedelta(days=age))

    assert cleanup_frigate_detections() == 2
    assert not FrigateDetection.objects.filter(event_id="old").exists()
    assert [review.review_id for review in FrigateReview.objects.all()] == ["new"]
