"""When a rule fires: on the edge, once, for a reason that can be read; and when it does not."""

import logging
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from alarm import arming
from alarm.models import AlarmEvent
from home.home_assistant.entities import read_state
from home.home_assistant.store import store as store_steps
from rules import evaluate, firing
from rules.models import Rule, RuleActionLog, RuleEntityRef, RuleRuntime
from tests.rules.conftest import DOOR_OPEN
from tests.rules.house import START, at, dues

pytestmark = pytest.mark.django_db

DOOR = "binary_sensor.door"
EVENT = {"type": "alarm_event", "kind": "door_opened"}
PERSON = {"frigate": {"label": "person"}}
AWAY = {"alarm": "armed_away"}


def state_of(rule):
    rule.refresh_from_db()
    return rule.holds


@pytest.fixture
def rule(make_rule, house):
    """A rule on a door that is closed and known to be so."""
    made = make_rule(EVENT)
    house.tell((DOOR, "off"))
    return made


def test_a_rule_fires_when_its_condition_comes_true(rule, house):
    house.tell((DOOR, "on"), at_second=5)

    assert dues() == [5]
    assert rule.runtimes.get().actions == [EVENT]


def test_it_does_not_fire_again_while_the_condition_holds(rule, house):
    house.tell((DOOR, "on"), at_second=5)
    house.tell((DOOR, "on"), at_second=6)

    assert dues() == [5]


def test_it_fires_again_once_the_condition_has_ended(rule, house):
    house.tell((DOOR, "on"), at_second=5)
    house.tell((DOOR, "off"), at_second=6)
    house.tell((DOOR, "on"), at_second=7)

    assert dues() == [5, 7]


def test_a_pulse_within_one_batch_fires(rule, house):
    house.tell((DOOR, "on"), (DOOR, "off"), at_second=5)

    assert len(dues()) == 1
    assert state_of(rule) is False


def test_each_pulse_of_one_batch_fires(rule, house):
    house.tell((DOOR, "on"), (DOOR, "off"), (DOOR, "on"), at_second=5)

    assert len(dues()) == 2


def test_steps_of_a_batch_are_held_against_what_was_the_case_at_each(make_rule, house):
    make_rule(EVENT, when={"all": [DOOR_OPEN, {"entity_id": "light.hall", "state": "off"}]})
    house.tell((DOOR, "off"), ("light.hall", "off"))
    house.tell((DOOR, "on"), ("light.hall", "on"), at_second=5)

    assert len(dues()) == 1


def test_what_is_the_case_when_a_rule_is_first_looked_at_does_not_fire_it(make_rule, house):
    made = make_rule(EVENT)
    house.tell((DOOR, "on"))

    assert dues() == []
    assert state_of(made) is True


def test_what_became_true_while_nobody_ran_fires_when_it_is_heard_of(rule, house):
    house.tell((DOOR, "on"), at_second=3600)

    assert dues() == [3600]


@pytest.mark.parametrize("gone", ["unavailable", "unknown", None])
def test_a_restart_of_home_assistant_does_not_fire_what_was_true_before(rule, house, gone):
    house.tell((DOOR, "on"), at_second=1)
    house.tell((DOOR, gone), at_second=2)
    house.tell((DOOR, "on"), at_second=3)

    assert dues() == [1]


def test_what_became_true_behind_the_unknown_fires(rule, house):
    house.tell((DOOR, "unavailable"), at_second=2)
    house.tell((DOOR, "on"), at_second=3)

    assert dues() == [3]


def test_a_disabled_rule_does_not_fire(rule, house):
    Rule.objects.update(enabled=False)
    house.tell((DOOR, "on"), at_second=5)

    assert dues() == []


def test_a_rule_that_is_switched_on_again_is_looked_at_afresh(rule, house):
    rule.enabled = False
    rule.save()
    house.tell((DOOR, "on"), at_second=5)
    rule.enabled = True
    rule.save()
    house.tell((DOOR, "on"), at_second=6)

    assert dues() == []


def test_a_new_definition_is_looked_at_afresh(rule, house):
    house.tell((DOOR, "on"), at_second=5)
    rule.refresh_from_db()
    rule.definition = rule.definition | {"for": 5}
    rule.save()

    assert state_of(rule) is None
    assert rule.look_at <= timezone.now()


def test_a_definition_that_is_saved_alone_is_looked_at_afresh_too(rule):
    rule.definition = {"when": PERSON, "then": [EVENT]}
    rule.save(update_fields=["definition"])

    assert state_of(rule) is None
    assert rule.watches_frigate


def test_a_new_name_forgets_nothing_even_if_the_copy_is_old(rule, house):
    house.tell((DOOR, "on"), at_second=5)
    rule.name = "front door"
    rule.save()

    assert state_of(rule) is True
    assert rule.last_fired_at == at(5)


def test_a_rule_that_cools_down_does_not_fire(make_rule, house):
    make_rule(EVENT, cooldown_seconds=60)
    for second in (0, 59, 60, 119, 120, 121):
        house.tell((DOOR, "on" if second % 2 else "off"), at_second=second)

    assert dues() == [59, 119]


def test_a_clock_that_was_set_back_mutes_no_rule(rule, house):
    house.tell((DOOR, "on"), at_second=3600)
    house.tell((DOOR, "off"), (DOOR, "on"), at_second=5)

    assert len(dues()) == 2


def test_a_condition_must_last_for_as_long_as_the_rule_says(make_rule, house):
    make_rule(EVENT, wait=10)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)

    assert dues() == [15]
    assert not AlarmEvent.objects.exists()


def test_what_waits_is_cancelled_when_the_condition_ends_first(make_rule, house):
    rule = make_rule(EVENT, wait=10)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    house.tell((DOOR, "off"), at_second=14)

    assert rule.runtimes.get().status == "cancelled"
    log = RuleActionLog.objects.get()
    assert (log.action, log.status, log.detail) == ("cancelled", "cancelled", "the condition ended before")
    assert log.trace["holds"] is False


def test_what_waits_goes_on_waiting_while_the_condition_cannot_be_known(make_rule, house):
    make_rule(EVENT, wait=10)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    house.tell((DOOR, "unavailable"), at_second=8)

    assert dues() == [15]


def test_what_lasted_long_enough_is_not_cancelled_afterwards(make_rule, house):
    make_rule(EVENT, wait=10)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    house.tell((DOOR, "off"), at_second=15)

    assert dues() == [15]


def test_what_waits_is_cancelled_when_the_rule_is_changed(make_rule, house):
    rule = make_rule(EVENT, wait=10)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    rule.definition = rule.definition | {"for": 20}
    rule.save()

    assert rule.runtimes.get().status == "cancelled"


def test_the_alarm_fires_what_waits_for_its_state(make_rule):
    make_rule(EVENT, when=AWAY)
    evaluate.by_time(timezone.now())
    arming.command(arming.Command.ARM_AWAY, by="test", now=timezone.now(), exit_delay=timedelta())

    assert RuleRuntime.objects.count() == 1


def test_a_rule_sees_the_alarm_as_it_is_when_something_else_happens(make_rule, house):
    make_rule(EVENT, when={"all": [DOOR_OPEN, AWAY]})
    house.tell((DOOR, "off"))
    arming.command(arming.Command.ARM_AWAY, by="test", now=timezone.now(), exit_delay=timedelta())
    house.tell((DOOR, "on"), at_second=5)

    assert dues() == [5]


def test_a_time_of_day_fires_when_it_comes(make_rule):
    rule = make_rule(EVENT, when={"time": {"after": "22:00", "before": "06:00", "tz": "UTC"}})
    Rule.objects.update(look_at=START)
    assert evaluate.by_time(START) == 1
    assert state_of(rule) is False
    assert rule.look_at == START.replace(hour=22)

    assert evaluate.by_time(START.replace(hour=22)) == 1
    assert dues() == [10 * 3600]


def test_a_condition_that_ended_while_nobody_ran_cancels_what_was_due_after_its_end(make_rule, house):
    evening = {"time": {"before": "13:00", "tz": "UTC"}}
    make_rule(EVENT, when={"all": [DOOR_OPEN, evening]}, wait=7200)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    evaluate.by_time(at(5 * 3600))

    assert dues() == []


def test_a_condition_that_ended_while_nobody_ran_leaves_what_was_due_before_its_end(make_rule, house):
    make_rule(EVENT, when={"all": [DOOR_OPEN, {"time": {"before": "13:00", "tz": "UTC"}}]}, wait=60)
    house.tell((DOOR, "off"))
    house.tell((DOOR, "on"), at_second=5)
    evaluate.by_time(at(5 * 3600))

    assert dues() == [65]


def test_a_new_rule_is_looked_at_at_once(make_rule, house):
    rule = make_rule(EVENT, when={"not": PERSON})

    assert evaluate.by_time(timezone.now()) == 1
    assert state_of(rule) is True
    assert dues() == []


def test_a_firing_is_logged_with_its_trace(rule, house):
    house.tell((DOOR, "on"), at_second=5)

    log = RuleActionLog.objects.get()
    assert (log.action, log.step, log.status) == ("fired", None, "succeeded")
    assert log.runtime == rule.runtimes.get()
    assert log.trace == {
        "holds": True,
        "condition": "binary_sensor.door is on",
        "seen": "on since 2026-11-25 12:00:05 UTC",
    }


def test_a_firing_is_an_event_that_people_see(rule, house):
    house.tell((DOOR, "on"), at_second=5)

    event = AlarmEvent.objects.get()
    assert (event.kind, event.message, event.source) == ("rule_fired", "door", f"rule:{rule.pk}")
    assert event.details["why"] == ["✓ binary_sensor.door is on  (on since 2026-11-25 12:00:05 UTC)"]


def test_a_rule_that_fires_without_end_is_suspended(rule, house, caplog):
    for second in range(1, 61):
        house.tell((DOOR, "on"), (DOOR, "off"), at_second=second)

    assert len(dues()) == firing.MAX_FIRINGS
    assert [record.action for record in caplog.records if record.levelno == logging.ERROR] == ["rule_suspended"]
    suspended = AlarmEvent.objects.get(kind="rule_suspended")
    assert "does another rule undo what it does?" in suspended.message


def test_a_suspended_rule_fires_again_after_its_rest(rule, house):
    for second in range(1, 23):
        house.tell((DOOR, "on"), (DOOR, "off"), at_second=second)
    RuleRuntime.objects.all().delete()
    rested = 21 + firing.SUSPENSION.total_seconds()
    house.tell((DOOR, "on"), (DOOR, "off"), at_second=rested - 1)
    assert dues() == []

    house.tell((DOOR, "on"), at_second=rested)
    assert dues() == [rested]


def test_a_rule_that_makes_no_sense_stops_nothing_and_is_told_of_once(rule, make_rule, house, caplog):
    broken = make_rule(EVENT, name="broken")
    Rule.objects.filter(pk=broken.pk).update(definition={"when": DOOR_OPEN | {"stat": 1}, "then": [EVENT]})
    house.tell((DOOR, "on"), at_second=5)
    house.tell((DOOR, "off"), at_second=6)

    assert dues() == [5]
    assert [record.action for record in caplog.records if record.levelno == logging.ERROR] == ["rule_broken"]
    broken.refresh_from_db()
    assert broken.problem.startswith("when.stat: ")


def test_a_rule_comes_back_with_the_entity_whose_reference_was_cleaned_up(rule, house):
    house.tell((DOOR, None), at_second=1)
    RuleEntityRef.objects.all().delete()
    house.tell((DOOR, "on"), at_second=2)

    assert dues() == [2]


def test_changes_that_concern_no_rule_cost_one_query(rule, house, django_assert_num_queries):
    house.tell(("light.hall", "on"))
    with django_assert_num_queries(1):
        evaluate.entities([house.step("light.hall", "on", "off")], now=START)


def test_a_rule_is_not_held_against_what_only_its_actions_name(make_rule, house):
    light = {"type": "home_assistant", "domain": "light", "service": "turn_on", "data": {"entity_id": "light.hall"}}
    rule = make_rule(light)
    house.tell(("light.hall", "on"))

    assert state_of(rule) is None


def test_nothing_follows_from_what_was_not_stored(rule, house):
    with transaction.atomic():
        house.tell((DOOR, "on"), at_second=5)
        transaction.set_rollback(True)

    assert dues() == []
    assert state_of(rule) is False


def test_what_home_assistant_says_reaches_the_rules(make_rule):
    make_rule(EVENT)
    now = timezone.now()
    for number, state in enumerate(("off", "on")):
        moment = (now + timedelta(seconds=number)).isoformat()
        item = {"entity_id": DOOR, "state": state, "last_changed": moment, "last_updated": moment}
        store_steps([read_state(item, now=now)])

    assert RuleRuntime.objects.count() == 1
