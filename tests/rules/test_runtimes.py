"""Firing, claiming, executing, trying again."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from alarm import arming
from alarm.models import AlarmEvent
from asyncsched import Every
from asyncsched.registry import registry
from notifications.models import Notification
from rules import evaluate, firing, runtimes
from rules.models import Rule, RuleActionLog, RuleRuntime
from rules.tasks import process_due_rule_runtimes

pytestmark = pytest.mark.django_db

EVENT = {"type": "alarm_event", "kind": "door_opened", "message": "The door is open"}
NOTIFY = {"type": "notify", "title": "Door", "body": "It is open", "channel": "family"}
LIGHT_ON = {"type": "home_assistant", "domain": "light", "service": "turn_on", "data": {"entity_id": "light.hall"}}


def fire(rule, *, due_in=0):
    now = timezone.now()
    return firing.schedule(rule, now + timedelta(seconds=due_in), now=now)


def process():
    return async_to_sync(process_due_rule_runtimes)()


def make_due():
    RuleRuntime.objects.update(next_attempt_at=timezone.now())


def status_of(runtime):
    runtime.refresh_from_db()
    return runtime.status


def log():
    """Return what became of the actions, in order."""
    rows = RuleActionLog.objects.exclude(step=None).order_by("pk")
    return list(rows.values_list("step", "action", "status"))


def events():
    """Return the events that actions wrote."""
    return AlarmEvent.objects.exclude(kind="rule_fired")


def test_all_actions_are_done_in_order_and_logged(make_rule, home_assistant):
    runtime = fire(make_rule(EVENT, NOTIFY, LIGHT_ON))

    assert process() == 1
    assert status_of(runtime) == "done"
    assert events().get().message == "The door is open"
    assert (Notification.objects.get().body, Notification.objects.get().channel) == ("It is open", "family")
    assert home_assistant.calls == [("light", "turn_on", {"entity_id": "light.hall"})]
    assert log() == [
        (0, "alarm_event", "succeeded"),
        (1, "notify", "succeeded"),
        (2, "home_assistant", "succeeded"),
    ]


def test_an_event_says_which_rule_made_it(make_rule):
    rule = make_rule(EVENT)
    fire(rule)
    process()

    assert events().get().source == f"rule:{rule.pk}"


def test_what_was_executed_is_not_executed_again(make_rule):
    fire(make_rule(EVENT))
    process()
    make_due()

    assert process() == 0
    assert events().count() == 1


def test_what_is_due_later_waits(make_rule):
    runtime = fire(make_rule(EVENT), due_in=60)

    assert process() == 0
    assert status_of(runtime) == "pending"


def test_a_rule_fires_once_for_one_moment(make_rule):
    rule, due = make_rule(EVENT), timezone.now()

    assert firing.schedule(rule, due, now=due) is not None
    assert firing.schedule(rule, due, now=due) is None


def test_a_rule_that_cools_down_does_not_fire(make_rule):
    rule, now = make_rule(EVENT, cooldown_seconds=60), timezone.now()
    firing.schedule(rule, now, now=now)

    assert firing.schedule(rule, now + timedelta(seconds=59), now=now + timedelta(seconds=59)) is None
    assert firing.schedule(rule, now + timedelta(seconds=60), now=now + timedelta(seconds=60)) is not None


def test_a_disabled_rule_does_not_fire(make_rule):
    assert fire(make_rule(EVENT, enabled=False)) is None


def test_what_a_rule_was_about_to_do_is_cancelled_when_it_is_disabled(make_rule):
    runtime = fire(make_rule(EVENT))
    Rule.objects.update(enabled=False)

    assert process() == 0
    assert status_of(runtime) == "cancelled"
    assert not events().exists()


def test_a_rule_without_actions_is_done_at_once(make_rule):
    runtime = fire(make_rule())

    assert process() == 1
    assert status_of(runtime) == "done"


def test_an_edit_does_not_change_what_is_due_already(make_rule):
    rule = make_rule(EVENT)
    fire(rule)
    rule.definition = {}
    rule.save()
    process()

    assert events().count() == 1


def test_a_retry_goes_on_at_the_action_that_failed(make_rule, home_assistant):
    runtime = fire(make_rule(EVENT, LIGHT_ON, NOTIFY))
    home_assistant.misbehave("error")
    assert process() == 0
    assert status_of(runtime) == "pending"
    home_assistant.misbehave(None)
    make_due()

    assert process() == 1
    assert events().count() == 1
    assert log() == [
        (0, "alarm_event", "succeeded"),
        (1, "home_assistant", "retrying"),
        (1, "home_assistant", "succeeded"),
        (2, "notify", "succeeded"),
    ]


def test_a_failed_action_is_not_tried_again_at_once(make_rule, home_assistant):
    runtime = fire(make_rule(LIGHT_ON))
    home_assistant.misbehave("error")
    process()
    runtime.refresh_from_db()

    assert 3 < (runtime.next_attempt_at - timezone.now()).total_seconds() <= 6
    assert process() == 0
    assert len(log()) == 1


def test_an_action_that_keeps_failing_is_given_up(make_rule, home_assistant):
    runtime = fire(make_rule(LIGHT_ON, EVENT))
    home_assistant.misbehave("error")
    for _ in range(runtimes.MAX_ATTEMPTS + 1):
        process()
        make_due()

    assert status_of(runtime) == "failed"
    assert [status for _, _, status in log()] == ["retrying"] * (runtimes.MAX_ATTEMPTS - 1) + ["failed"]
    assert not events().exists()


def test_an_action_that_can_never_succeed_is_given_up_at_once(make_rule, settings):
    settings.HOME_ASSISTANT_URL = ""
    runtime = fire(make_rule(LIGHT_ON))
    process()

    assert status_of(runtime) == "failed"
    assert "not configured" in runtime.last_error


def test_a_stored_action_that_makes_no_sense_is_given_up_with_its_place(make_rule):
    runtime = fire(make_rule({"type": "dance"}))
    process()

    assert status_of(runtime) == "failed"
    assert runtime.last_error.startswith("then[0].type: ")


def test_a_rule_that_fails_does_not_hold_up_another(make_rule, home_assistant):
    home_assistant.misbehave("error")
    fire(make_rule(LIGHT_ON, name="light"))
    fire(make_rule(EVENT, name="door"))

    assert process() == 1
    assert events().count() == 1


def test_a_claimed_runtime_is_not_claimed_again_while_its_lease_lasts(make_rule):
    fire(make_rule(EVENT))
    now = timezone.now()

    assert runtimes.claim_next(now) is not None
    assert runtimes.claim_next(now + runtimes.LEASE - timedelta(seconds=1)) is None


def test_the_runtime_of_a_process_that_died_is_taken_over_after_the_lease(make_rule):
    fire(make_rule(EVENT))
    now = timezone.now()
    runtimes.claim_next(now)

    assert runtimes.claim_next(now + runtimes.LEASE).attempt == 2


def test_whoever_takes_over_goes_on_behind_the_last_action_that_was_recorded(make_rule):
    fire(make_rule(EVENT, NOTIFY))
    now = timezone.now()
    first = runtimes.claim_next(now)
    runtimes.succeeded(first, now, now=now, effect=lambda: str(AlarmEvent.objects.create(kind="first")))
    make_due()

    assert process() == 1
    assert [event.kind for event in events()] == ["first"]
    assert log() == [(0, "alarm_event", "succeeded"), (1, "notify", "succeeded")]


def test_an_effect_is_undone_when_the_claim_was_lost(make_rule):
    fire(make_rule(EVENT))
    now = timezone.now()
    slow = runtimes.claim_next(now)
    runtimes.claim_next(now + runtimes.LEASE)

    with pytest.raises(runtimes.ClaimLost):
        runtimes.succeeded(slow, now, now=now, effect=lambda: str(AlarmEvent.objects.create(kind="late")))

    assert not events().exists()


def test_a_runtime_whose_processes_all_die_is_given_up(make_rule):
    runtime = fire(make_rule(EVENT))
    now = timezone.now()
    while runtimes.claim_next(now):
        now += runtimes.LEASE

    assert runtimes.give_up_on_lost(now) == 1
    assert status_of(runtime) == "failed"


def wait_for(rule, seconds_ago):
    """Let *rule* have waited for its condition until so many seconds ago."""
    now = timezone.now()
    due_at = now - timedelta(seconds=seconds_ago)
    return firing.wait(rule, due_at, now=now, trace={"holds": True, "condition": "the door is open"})


def test_what_has_waited_long_enough_fires_with_the_trace_of_its_beginning(make_rule):
    rule = make_rule(EVENT, wait=10)
    runtime = wait_for(rule, 0)

    assert process() == 1
    fired = RuleActionLog.objects.get(action="fired")
    assert (fired.runtime, fired.trace["condition"]) == (runtime, "the door is open")
    assert AlarmEvent.objects.get(kind="rule_fired").details["why"] == ["✓ the door is open"]
    rule.refresh_from_db()
    assert rule.last_fired_at == runtime.due_at


def test_waiting_alone_is_no_firing_and_begins_no_cooldown(make_rule):
    rule = make_rule(EVENT, cooldown_seconds=60)
    wait_for(rule, -5)
    rule.refresh_from_db()

    assert rule.last_fired_at is None
    assert not AlarmEvent.objects.exists()


def test_what_has_waited_does_not_fire_a_rule_that_rests(make_rule):
    rule = make_rule(EVENT, cooldown_seconds=60)
    runtime = wait_for(rule, 0)
    Rule.objects.update(last_fired_at=timezone.now())

    assert process() == 0
    assert status_of(runtime) == "cancelled"
    assert RuleActionLog.objects.get().detail == "the rule was resting"


def test_a_delay_lets_time_pass_before_the_next_action(make_rule):
    runtime = fire(make_rule({"type": "delay", "seconds": 60}, EVENT))

    assert process() == 0
    assert status_of(runtime) == "pending"
    assert 58 < (runtime.next_attempt_at - timezone.now()).total_seconds() <= 60
    assert not events().exists()


def test_after_a_delay_it_goes_on_behind_it(make_rule):
    runtime = fire(make_rule(EVENT, {"type": "delay", "seconds": 60}, NOTIFY))
    process()
    make_due()

    assert process() == 1
    assert status_of(runtime) == "done"
    assert log() == [(0, "alarm_event", "succeeded"), (1, "delay", "succeeded"), (2, "notify", "succeeded")]


def test_a_delay_at_the_end_delays_nothing(make_rule):
    runtime = fire(make_rule({"type": "delay", "seconds": 60}))

    assert process() == 1
    assert status_of(runtime) == "done"


def test_a_rule_that_is_disabled_during_a_delay_does_not_go_on_and_that_is_logged(make_rule):
    runtime = fire(make_rule({"type": "delay", "seconds": 60}, EVENT))
    process()
    Rule.objects.update(enabled=False)
    make_due()

    assert process() == 0
    assert status_of(runtime) == "cancelled"
    assert RuleActionLog.objects.get(action="cancelled").detail == "the rule is disabled"


def test_a_rule_commands_the_alarm(make_rule):
    rule = make_rule({"type": "alarm", "command": "trigger"})
    fire(rule)

    assert process() == 1
    assert arming.current().state == arming.State.TRIGGERED
    assert AlarmEvent.objects.get(kind="triggered").source == f"rule:{rule.pk}"
    assert RuleActionLog.objects.get(action="alarm").detail == "the alarm is triggered"


def test_a_command_that_changes_nothing_is_no_failure(make_rule):
    runtime = fire(make_rule({"type": "alarm", "command": "enter"}))

    assert process() == 1
    assert status_of(runtime) == "done"
    assert RuleActionLog.objects.get(action="alarm").detail == "nothing to change in the alarm's present state"


def test_two_rules_that_undo_each_other_come_to_rest(make_rule):
    """One arms whenever the alarm is disarmed, the other disarms whenever it is being armed."""
    make_rule({"type": "alarm", "command": "arm_away"}, when={"alarm": "disarmed"}, name="arm")
    make_rule({"type": "alarm", "command": "disarm"}, when={"alarm": "arming"}, name="disarm")
    evaluate.by_time(timezone.now())
    arming.command(arming.Command.ARM_AWAY, by="test", now=timezone.now())
    while process():
        continue

    assert RuleActionLog.objects.filter(action="fired").count() <= 2 * firing.MAX_FIRINGS
    assert AlarmEvent.objects.filter(kind="rule_suspended").count() == 1


def test_an_urgent_notification_is_queued_as_such(make_rule):
    fire(make_rule(NOTIFY | {"urgent": True}))
    process()

    assert Notification.objects.get().urgent


def test_the_task_runs_every_five_seconds_with_a_limit():
    task = registry.get("process_due_rule_runtimes")

    assert task.schedule == Every(seconds=5)
    assert task.options.timeout == 60
