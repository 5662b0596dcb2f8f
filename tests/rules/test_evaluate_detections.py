"""When a rule on what a camera sees fires, however late or unwatched the sighting was; and when it does not."""

import pytest
from django.utils import timezone

from home.frigate.events import Detection
from home.frigate.store import store as store_detections
from rules import evaluate
from rules.models import RuleRuntime
from tests.rules.conftest import DOOR_OPEN
from tests.rules.house import at, dues

pytestmark = pytest.mark.django_db

DOOR = "binary_sensor.door"
EVENT = {"type": "alarm_event", "kind": "door_opened"}
PERSON = {"frigate": {"label": "person"}}


def state_of(rule):
    rule.refresh_from_db()
    return rule.holds


def test_a_detection_fires_and_time_alone_ends_it(make_rule, house):
    rule = make_rule(EVENT, when=PERSON)
    evaluate.by_time(timezone.now())
    house.see(at_second=5)
    assert dues() == [5]
    assert state_of(rule) is True
    assert rule.look_at == at(35)

    assert evaluate.by_time(at(34)) == 0
    assert evaluate.by_time(at(35)) == 1
    assert state_of(rule) is False
    assert rule.look_at is None


def test_a_detection_that_does_not_match_is_not_even_looked_at(make_rule, house):
    rule = make_rule(EVENT, when=PERSON)
    house.see(label="car")

    assert state_of(rule) is None


def test_a_detection_that_was_stored_late_fires_all_the_same(make_rule, house):
    rule = make_rule(EVENT, when=PERSON)
    evaluate.by_time(timezone.now())
    house.see(at_second=120, seen_at=5)

    assert dues() == [5]
    assert state_of(rule) is False


def test_a_detection_fires_again_although_nobody_looked_when_the_one_before_ended(make_rule, house):
    make_rule(EVENT, when=PERSON)
    evaluate.by_time(timezone.now())
    house.see(at_second=10)
    house.see(at_second=60, event_id="2")

    assert dues() == [10, 60]


def test_a_detection_that_went_on_while_nobody_looked_is_still_the_same(make_rule, house):
    make_rule(EVENT, when=PERSON)
    evaluate.by_time(timezone.now())
    house.see(at_second=10, started_at=house.at(10), ended=False)
    house.see(at_second=400, started_at=house.at(10))

    assert dues() == [10]


def test_a_camera_whose_clock_is_fast_fires_once(make_rule, house):
    make_rule(EVENT, when=PERSON)
    evaluate.by_time(timezone.now())
    house.see(at_second=10, seen_at=90)
    house.see(at_second=20, seen_at=130, event_id="2")

    assert dues() == [10]


def test_a_detection_of_long_ago_fires_nothing(make_rule, house):
    make_rule(EVENT, when=PERSON)
    evaluate.by_time(timezone.now())
    house.see(at_second=3600, seen_at=5)

    assert dues() == []


def test_a_detection_in_another_zone_of_the_garden_does_not_hide_the_one_that_counts(make_rule, house):
    make_rule(EVENT, when={"all": [{"frigate": {"label": "person", "zone": "porch"}}, DOOR_OPEN]})
    house.tell((DOOR, "off"))
    house.see(event_id="1", zones=("porch",), at_second=1)
    house.see(event_id="2", zones=("street",), at_second=2)
    house.tell((DOOR, "on"), at_second=3)

    assert dues() == [3]


def test_what_frigate_says_reaches_the_rules(make_rule):
    make_rule(EVENT, when=PERSON)
    evaluate.by_time(timezone.now())
    now = timezone.now()
    detection = Detection(
        event_id="1",
        camera="drive",
        label="person",
        sub_label="",
        score=0.5,
        top_score=0.8,
        zones=("porch",),
        started_at=now,
        ended_at=None,
        updated_at=now,
    )
    store_detections([detection])
    store_detections([detection])

    assert RuleRuntime.objects.count() == 1
